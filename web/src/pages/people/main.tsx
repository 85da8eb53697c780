import { fetchPeople, fetchTokens } from "web/api/people";
import { PeoplePage } from "web/pages/people/page";
import { startProjectPage } from "web/parts/project_start";

void startProjectPage(async (me, project) => {
  const [people, tokens] = await Promise.all([fetchPeople(project.project), fetchTokens()]);
  return <PeoplePage me={me} project={project} people={people} tokens={tokens} />;
});

import { ReviewDesk } from "web/pages/review/desk";
import { ReviewScreen } from "web/pages/review/screen";
import { openForLead } from "web/pages/for_leads";

void openForLead("review", async (me, project, widget) => {
  const desk = await ReviewDesk.open(me, project, widget);
  return <ReviewScreen desk={desk} />;
});

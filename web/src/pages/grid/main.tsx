import { openForLead } from "web/pages/for_leads";
import { GridDesk } from "web/pages/grid/desk";
import { GridScreen } from "web/pages/grid/screen";

void openForLead("grid", async (me, project) => <GridScreen desk={await GridDesk.open(me, project)} />);

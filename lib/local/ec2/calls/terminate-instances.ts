import type { HttpAnswer, HttpCall } from "../../requests/http.ts";
import { formOf } from "../../requests/query-protocol.ts";
import type { Lifecycle } from "../instances/lifecycle.ts";
import type { Moto } from "../moto/moto.ts";
import { items, parent, readXml, textAt, withChild, writeXml } from "../moto/xml-document.ts";
import { refuseUnknown, stateElement } from "./describe-instances.ts";

/** Accepted by moto first, for it knows which instances there are; then they end at their own pace. */
export async function terminateInstances(moto: Moto, lifecycle: Lifecycle, call: HttpCall): Promise<HttpAnswer> {
  const ids = [...formOf(call)].filter(([name]) => /^InstanceId\.\d+$/.test(name)).map(([, id]) => id);
  refuseUnknown(lifecycle, formOf(call));
  const answer = await moto.pass(call);
  if (answer.status !== 200) return answer;
  const before = new Map(ids.map((id) => [id, lifecycle.state(id)]));
  for (const id of ids) if (before.get(id) !== undefined) void lifecycle.shutDown(id, "TerminateInstances");
  const root = readXml(answer.body.toString());
  const instances = items(root, "instancesSet").map((item) => {
    const id = textAt(item, "instanceId") ?? "";
    const [previous, current] = [before.get(id), lifecycle.state(id)];
    if (previous === undefined || current === undefined) return item;
    return withChild(withChild(item, stateElement("currentState", current)), stateElement("previousState", previous));
  });
  return { ...answer, body: writeXml(withChild(root, parent("instancesSet", instances))) };
}

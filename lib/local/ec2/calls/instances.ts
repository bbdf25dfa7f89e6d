import type { HttpCall, HttpResponse } from "../../requests/http.ts";
import { Ec2Error, formOf } from "../../requests/query-protocol.ts";
import { spotTermination, stateCodes } from "../instances/instance.ts";
import type { Lifecycle } from "../instances/lifecycle.ts";
import type { Moto } from "../moto/moto.ts";
import { type Element, items, leaf, parent, readXml, textAt, withChild, writeXml } from "../moto/xml-document.ts";
import { like } from "../offers/spot-prices.ts";

/** What is known about the instances. */
type Known = Pick<Lifecycle, "get" | "isVisible">;

/** Corrects moto's response about instances: sets their states, and hides those that are not visible yet or no longer. */
export async function describeInstances(moto: Pick<Moto, "pass">, lifecycle: Known, call: HttpCall): Promise<HttpResponse> {
  const form = formOf(call);
  refuseUnknown(lifecycle, form);
  const { passed, own } = splitFilters(form);
  const response = await moto.pass({
    method: "POST",
    path: "/",
    headers: { ...call.headers, "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: Buffer.from(passed.toString()),
  });
  if (response.status !== 200) return response;
  const root = readXml(response.body.toString());
  const reservations = items(root, "reservationSet").map((reservation) => {
    const kept = items(reservation, "instancesSet")
      .filter((instance) => lifecycle.isVisible(textAt(instance, "instanceId") ?? ""))
      .map((instance) => asItIs(lifecycle, instance))
      .filter((instance) => own.every((filter) => filter.values.some((value) => like(value, filter.of(instance)))));
    return { reservation: withChild(reservation, parent("instancesSet", kept)), kept };
  });
  const shown = reservations.filter(({ kept }) => kept.length > 0).map(({ reservation }) => reservation);
  return { ...response, body: writeXml(withChild(root, parent("reservationSet", shown))) };
}

type Terminating = {
  readonly moto: Moto;
  readonly lifecycle: Known & Pick<Lifecycle, "state" | "shutDown">;
  readonly isProtected: (id: string) => boolean;
};

/**
 * Passes the call to moto first, because moto knows which instances exist. Then the instances end at their own pace. If one of them is
 * protected, the call fails like EC2's: instances in the zone of a protected one live on, and those of other zones end.
 */
export async function terminateInstances({ moto, lifecycle, isProtected }: Terminating, call: HttpCall): Promise<HttpResponse> {
  const ids = [...formOf(call)].filter(([name]) => /^InstanceId\.\d+$/.test(name)).map(([, id]) => id);
  refuseUnknown(lifecycle, formOf(call));
  const [kept] = ids.filter(isProtected);
  if (kept !== undefined) {
    const zoneOf = (id: string): string | undefined => lifecycle.get(id)?.zone;
    const zones = new Set(ids.filter(isProtected).map(zoneOf));
    for (const id of ids.filter((each) => !zones.has(zoneOf(each)))) {
      await moto.call(lifecycle.get(id)?.region ?? "us-east-1", { Action: "TerminateInstances", "InstanceId.1": id });
      void lifecycle.shutDown(id, "TerminateInstances");
    }
    const message = `The instance '${kept}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`;
    throw new Ec2Error("OperationNotPermitted", message);
  }
  const response = await moto.pass(call);
  if (response.status !== 200) return response;
  const before = new Map(ids.map((id) => [id, lifecycle.state(id)]));
  for (const id of ids) if (before.get(id) !== undefined) void lifecycle.shutDown(id, "TerminateInstances");
  const root = readXml(response.body.toString());
  const instances = items(root, "instancesSet").map((item) => {
    const id = textAt(item, "instanceId") ?? "";
    const [previous, current] = [before.get(id), lifecycle.state(id)];
    if (previous === undefined || current === undefined) return item;
    return withChild(withChild(item, stateElement("currentState", current)), stateElement("previousState", previous));
  });
  return { ...response, body: writeXml(withChild(root, parent("instancesSet", instances))) };
}

/** Throws if the call names an instance that EC2 does not know yet or no longer knows. */
function refuseUnknown(lifecycle: Known, form: URLSearchParams): void {
  const unknown = [...form].filter(([name, id]) => /^InstanceId\.\d+$/.test(name) && !lifecycle.isVisible(id)).map(([, id]) => id);
  if (unknown.length === 1) throw new Ec2Error("InvalidInstanceID.NotFound", `The instance ID '${unknown[0]}' does not exist`);
  if (unknown.length > 1) throw new Ec2Error("InvalidInstanceID.NotFound", `The instance IDs '${unknown.join(", ")}' do not exist`);
}

/** Returns a state of our life cycle as an element with the given name (`instanceState`, `currentState`, …). */
function stateElement(name: string, state: keyof typeof stateCodes): Element {
  return parent(name, [leaf("code", String(stateCodes[state])), leaf("name", state)]);
}

function asItIs(lifecycle: Known, instance: Element): Element {
  const last = lifecycle.get(textAt(instance, "instanceId") ?? "")?.states.at(-1);
  if (last === undefined) return instance;
  const shown = withChild(instance, stateElement("instanceState", last.state));
  if (last.because !== spotTermination) return shown;
  const reason = parent("stateReason", [leaf("code", spotTermination), leaf("message", `${spotTermination}: Spot instance termination`)]);
  return withChild(withChild(shown, reason), leaf("reason", spotTermination));
}

type Filter = { readonly values: readonly string[]; of(instance: Element): string };

/** Filters that moto would apply to its own states, or fails on. They are applied here, to moto's response. */
const ownFilters: Readonly<Record<string, Filter["of"]>> = {
  "instance-state-name": (instance) => textAt(instance, "instanceState", "name") ?? "",
  "instance-state-code": (instance) => textAt(instance, "instanceState", "code") ?? "",
  // On-demand instances have no such element, so no value of the filter selects them.
  "instance-lifecycle": (instance) => textAt(instance, "instanceLifecycle") ?? "",
};

function splitFilters(form: URLSearchParams): { passed: URLSearchParams; own: readonly Filter[] } {
  const passed = new URLSearchParams();
  const own: { number: string; filter: Filter }[] = [];
  for (const [name, value] of form) {
    const number = /^Filter\.(\d+)\.Name$/.exec(name)?.[1];
    const of = ownFilters[value];
    if (number === undefined || of === undefined) continue;
    const values = [...form].filter(([other]) => other.startsWith(`Filter.${number}.Value.`)).map(([, one]) => one);
    own.push({ number, filter: { values, of } });
  }
  for (const [name, value] of form) {
    if (!own.some(({ number }) => name.startsWith(`Filter.${number}.`))) passed.append(name, value);
  }
  return { passed, own: own.map(({ filter }) => filter) };
}

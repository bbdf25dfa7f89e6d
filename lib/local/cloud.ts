/**
 * The local cloud: the synthesized stack, made and run on this machine. The emulators keep AWS's data, the endpoint is
 * its one address, functions run as threads of this process, and instances as processes beside it.
 */
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../model/deployment.ts";
import { Fault } from "../model/fault.ts";
import { announce } from "./announcement.ts";
import type { AlarmView } from "./cloudwatch/alarms.ts";
import { type CloudWatch, type CloudWatchBehaviour, startCloudWatch } from "./cloudwatch/cloudwatch.ts";
import { createControls } from "./controls.ts";
import type { Ec2Behaviour } from "./ec2/behaviour/behaviour.ts";
import { createEc2Front, type Ec2Front } from "./ec2/front.ts";
import { startEmulators } from "./emulators/emulators.ts";
import { publishServiceEvent, registerCredentials } from "./emulators/ministack.ts";
import { createEndpoint } from "./endpoint.ts";
import { createFunctionUrls } from "./lambda/function-url.ts";
import { createFunctions, type FunctionLine, type Invocation } from "./lambda/functions.ts";
import { startWires } from "./lambda/wires.ts";
import { checkWiring, statementsOf } from "./lambda/wiring.ts";
import type { AlarmState } from "./metrics/alarm.ts";
import { createClients } from "./provision/clients.ts";
import { provision } from "./provision/stack.ts";
import { account, type Blueprint, deploymentOf, emptyBlueprint, nameOf, region } from "./provision/world.ts";
import { assumedRole } from "./requests/assumed-role.ts";
import { hiddenObject } from "./requests/hidden-objects.ts";
import { administrator, createIdentities, type IssuedCredentials } from "./requests/identities.ts";
import type { Log } from "./run/log-line.ts";
import { createLogFile, logTo } from "./run/log-line.ts";
import { createParts, type Parts, together } from "./run/parts.ts";
import { assembliesInUse, createRunFolder, type RunFolder } from "./run/run-folder.ts";
import { pruneAssemblies, synthesize } from "./synthesize.ts";
import { readAssets, uploadAssets } from "./template/assets.ts";
import { readTemplate } from "./template/template.ts";

export type LocalCloudOptions = {
  /** Keeps what every start can use again (the emulators, assemblies) and a folder for each run. */
  readonly folder: string;
  /** @default a free one */
  readonly port?: number;
  /** The admin's configuration. @default cdk/local.config.ts */
  readonly configuration?: string;
  /** Told what takes long, in words for a person; everything else is in the run's folder. */
  readonly log: (line: string) => void;
  /** How this EC2 differs from an ideal one. */
  readonly ec2?: Partial<Ec2Behaviour>;
  /** At what pace queues' metrics are published and alarms evaluated. */
  readonly cloudwatch?: Partial<CloudWatchBehaviour>;
  /** The folder in which `readClouds` shall find this cloud. @default none */
  readonly announceIn?: string;
};

export type LocalCloud = {
  /** Where every AWS API and every function URL is. */
  readonly endpoint: string;
  readonly region: string;
  /** An administrator's, for whoever needs some. */
  readonly credentials: IssuedCredentials;
  readonly deployment: Deployment;
  /** Of this run: `cloud.log`, `functions.log` (JSON lines), the emulators' logs and each node's folder. */
  readonly runFolder: string;
  readonly ec2: Ec2Front;
  /** The stack's alarms: what state they are in, and since when. */
  alarms(): readonly AlarmView[];
  /** As CloudWatch's SetAlarmState: holds until the alarm's next evaluation finds otherwise. Throws the Fault `no-alarm`. */
  setAlarmState(name: string, state: AlarmState, reason: string): void;
  /** Runs a function, by its name in functions/ or its full one, beside whatever else runs. */
  invoke(functionName: string, event: unknown): Promise<Invocation>;
  /** Ends whatever a function is doing, as a crash would. */
  kill(functionName: string): Promise<void>;
  /** Ends everything that was started. May be called again. */
  close(): Promise<void>;
};

const stackName = "Fleetwright";
/** How long batches in hand may take once everything closes. */
const graceMs = 2_000;

/** Starts a local cloud; on failure nothing is left behind. Several can run beside each other. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const run = await createRunFolder(resolve(options.folder), Date.now());
  const log = createLogFile(logFileOf(run));
  const parts = createParts(logTo(log));
  parts.add(log);
  try {
    return await start({ ...options, folder: resolve(options.folder) }, { run, parts, log: parts.log });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

const logFileOf = (run: RunFolder): string => join(run.path, "cloud.log");

type Start = { readonly run: RunFolder; readonly parts: Parts; readonly log: Log };

async function start(options: LocalCloudOptions, { run, parts, log }: Start): Promise<LocalCloud> {
  const tell: Log = (line) => {
    options.log(line.message);
    log(line);
  };
  const configuration = options.configuration ?? join(import.meta.dirname, "..", "..", "cdk", "local.config.ts");
  const [endpoint, emulators, assembly] = await together([
    createEndpoint({ ...(options.port !== undefined && { port: options.port }), log, logFile: logFileOf(run) }).then(parts.add),
    startEmulators({ folder: options.folder, logFolder: run.path, log: tell }).then((made) => parts.add({ ...made, close: made.stop })),
    synthesize({ folder: options.folder, configuration, log: tell }),
  ]);
  await run.use(assembly);
  await pruneAssemblies(options.folder, await assembliesInUse(options.folder));

  const identities = createIdentities({
    onIssue: (principal, issued) => {
      registerCredentials(emulators.ministackUrl, principal, issued).catch((error: unknown) =>
        log({ message: "Credentials were not registered", role: principal.role, error }),
      );
    },
  });
  const credentials = identities.issue(administrator);
  const clients = createClients(endpoint.url, credentials);
  parts.add({ close: async () => clients.destroy() });
  const blueprint = emptyBlueprint();
  const ec2 = parts.add(
    await createEc2Front({
      motoUrl: emulators.motoUrl,
      identities,
      endpoint: endpoint.url,
      stateFolder: join(run.path, "nodes"),
      roleOfProfile: (profile) => roleOfProfile(blueprint, profile),
      putEvent: (event) => publishServiceEvent(emulators.ministackUrl, event),
      log,
      ...(options.ec2 && { behaviour: options.ec2 }),
    }),
  );
  const urls = laterAnswer();
  // Before there is a stack there is no alarm that could miss a call.
  let noteCall: CloudWatch["noteCall"] = () => undefined;
  endpoint.open({
    ministackUrl: emulators.ministackUrl,
    motoUrl: emulators.motoUrl,
    ec2: ec2.handle,
    pricing: ec2.handlePricing,
    monitoring: (call) => noteCall(call),
    hidden: (accessKeyId, exchange) => {
      const role = identities.find(accessKeyId)?.principal.role;
      return hiddenObject(exchange, role === undefined ? undefined : statementsOf(blueprint, role));
    },
    sessions: (request, answer) => {
      const assumed = assumedRole(request, answer);
      if (assumed) identities.adopt(assumed.principal, assumed.credentials);
    },
    controls: createControls(ec2.record),
    functionUrl: urls.answer,
    api: (call) => urls.answer({ name: apiFunction(blueprint), path: call.path }, call),
  });

  const assets = await readAssets(assembly, stackName, { "AWS::AccountId": account, "AWS::Region": region });
  const bundles = new Map(assets.map((asset) => [`${asset.bucket}/${asset.key}`, asset.path]));
  const world = {
    clients,
    stack: stackName,
    endpoint: endpoint.url,
    bundle: (bucket: string, key: string) => bundles.get(`${bucket}/${key}`),
    blueprint,
  };
  await together([provision(await readTemplate(assembly, stackName), world), uploadAssets(clients.s3, assets)]);
  checkWiring(blueprint);

  const functionsLog = parts.add(createLogFile(join(run.path, "functions.log")));
  const cloudwatch = parts.add(
    startCloudWatch({
      alarms: blueprint.alarms,
      queues: blueprint.queues,
      sqs: clients.sqs,
      behaviour: options.cloudwatch,
      putEvent: (event) => publishServiceEvent(emulators.ministackUrl, event),
      log,
    }),
  );
  noteCall = cloudwatch.noteCall;
  const onLine = (line: FunctionLine): void => {
    functionsLog.write(line);
    cloudwatch.noteLine(line);
  };
  const functions = parts.add(createFunctions({ facts: blueprint.functions, identities, endpoint: endpoint.url, log: onLine }));
  urls.give(
    createFunctionUrls({
      urls: blueprint.functionUrls,
      functions,
      identities,
      statementsOf: (role) => statementsOf(blueprint, role),
      log,
    }),
  );
  const deployment = deploymentOf(blueprint);
  const wires = await startWires({ blueprint, functions, sqs: clients.sqs, log });
  parts.add({ close: () => Promise.race([wires.close(), sleep(graceMs, undefined, { ref: false })]) });
  if (options.announceIn !== undefined) parts.add(await announce(options.announceIn, { endpoint: endpoint.url, runFolder: run.path }));

  const fullName = (name: string): string => (blueprint.functions.some((fact) => fact.name === name) ? name : `${deployment.name}-${name}`);
  return {
    endpoint: endpoint.url,
    region,
    credentials,
    deployment,
    runFolder: run.path,
    ec2,
    alarms: cloudwatch.alarms.list,
    setAlarmState: cloudwatch.alarms.set,
    invoke: (name, event) => functions.invoke(fullName(name), event),
    kill: (name) => functions.kill(fullName(name)),
    close: parts.close,
  };
}

/** By its name: the one function that people call. */
const apiFunction = ({ functions }: Blueprint): string => functions.find(({ name }) => name.endsWith("-api"))?.name ?? "api";

/** A function URL's answer before and after its function is there. */
function laterAnswer() {
  type Answer = ReturnType<typeof createFunctionUrls>;
  let given: Answer | undefined;
  const answer: Answer = async (target, call) => (given ? given(target, call) : { status: 503, headers: {}, body: "" });
  const give = (how: Answer): void => {
    given = how;
  };
  return { answer, give };
}

function roleOfProfile(blueprint: Blueprint, profileNameOrArn: string): string {
  const name = nameOf(profileNameOrArn);
  const profile = blueprint.instanceProfiles.find((each) => each.name === name);
  if (!profile) throw new Fault("no-profile", `There is no instance profile ${profileNameOrArn}`);
  return profile.role;
}

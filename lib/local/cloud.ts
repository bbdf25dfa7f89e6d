/**
 * The local cloud: the synthesized stack, created and run on this machine. The emulators keep AWS's data, the endpoint is its
 * only address, functions run as threads of this process, and instances run as separate processes.
 */
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../model/deployment.ts";
import { FleetError } from "../model/fleet-error.ts";
import { createAccessLog } from "./access/access-log.ts";
import { assumedRole } from "./access/assumed-role.ts";
import { createGuard } from "./access/guard.ts";
import { resourceFacts } from "./access/policies.ts";
import { createAccountFront } from "./account/account-front.ts";
import { createSpotRole } from "./account/spot-role.ts";
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
import { createFunctions, type FunctionLine, type InvocationResult } from "./lambda/functions.ts";
import { startWires } from "./lambda/wires.ts";
import { checkWiring } from "./lambda/wiring.ts";
import type { AlarmState } from "./metrics/alarm.ts";
import { createOutages, type LocalOutage, type OutageOf } from "./outages.ts";
import { createClients } from "./provision/clients.ts";
import { provision } from "./provision/stack.ts";
import { account, type Blueprint, deploymentOf, emptyBlueprint, nameOf, region } from "./provision/world.ts";
import { administrator, createIdentities, type IssuedCredentials } from "./requests/identities.ts";
import type { LocalLog } from "./run/log-line.ts";
import { createLogFile, logTo } from "./run/log-line.ts";
import { createParts, type Parts, together } from "./run/parts.ts";
import { assembliesInUse, createRunFolder, type RunFolder } from "./run/run-folder.ts";
import { pruneAssemblies, synthesize } from "./synthesize.ts";
import { readAssets, uploadAssets } from "./template/assets.ts";
import { readTemplate } from "./template/template.ts";

export type LocalCloudOptions = {
  /** Contains what later starts reuse (the emulators, assemblies) and a folder per run. */
  readonly folder: string;
  /** @default a free port */
  readonly port?: number;
  /** The admin's configuration. @default cdk/local.config.ts */
  readonly configuration?: string;
  /** Receives a sentence for people about each slow step. Everything else is logged in the run's folder. */
  readonly log: (line: string) => void;
  /** How this EC2 differs from an ideal one. */
  readonly ec2?: Partial<Ec2Behaviour>;
  /** How often queues' metrics are published and alarms are evaluated. */
  readonly cloudwatch?: Partial<CloudWatchBehaviour>;
  /** Whether each new reason for which a call is allowed or refused is given to `log`. @default false */
  readonly explainAccess?: boolean;
  /** The folder in which `readClouds` should find this cloud. @default none */
  readonly announceIn?: string;
};

export type LocalCloud = {
  /** The address of every AWS API and every function URL. */
  readonly endpoint: string;
  readonly region: string;
  /** An administrator's credentials. */
  readonly credentials: IssuedCredentials;
  readonly deployment: Deployment;
  /** The folder of this run: `cloud.log`, `functions.log` (JSON lines), the emulators' logs and a folder per node. */
  readonly runFolder: string;
  readonly ec2: Ec2Front;
  /** Returns the stack's alarms, with their states and the times of their last changes. */
  alarms(): readonly AlarmView[];
  /** Does what CloudWatch's SetAlarmState does: the alarm's next evaluation may change the state again. Throws the FleetError `no-alarm`. */
  setAlarmState(name: string, state: AlarmState, reason: string): void;
  /** Runs a function, named as in functions/ or by its full name, concurrently with everything else. */
  invoke(functionName: string, event: unknown): Promise<InvocationResult>;
  /** Ends all invocations of a function, as a crash would. */
  kill(functionName: string): Promise<void>;
  /** Takes functions or the table out of reach of everybody until the outage is ended. Throws the FleetError `outage` if there is one already. */
  outage(of: OutageOf): Promise<LocalOutage>;
  /** Ends everything that was started. Calling it twice is safe. */
  close(): Promise<void>;
};

const stackName = "Fleetwright";
/** How long batches in progress may still take while the cloud closes. */
const graceMs = 2_000;

/** Starts a local cloud. If that fails, nothing is left running. Several local clouds can run at the same time. */
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

type Start = { readonly run: RunFolder; readonly parts: Parts; readonly log: LocalLog };

async function start(options: LocalCloudOptions, { run, parts, log }: Start): Promise<LocalCloud> {
  const logLine: LocalLog = (line) => {
    options.log(line.message);
    log(line);
  };
  const configuration = options.configuration ?? join(import.meta.dirname, "..", "..", "cdk", "local.config.ts");
  const [endpoint, emulators, assembly] = await together([
    createEndpoint({ ...(options.port !== undefined && { port: options.port }), log, logFile: logFileOf(run) }).then(parts.add),
    startEmulators({ folder: options.folder, logFolder: run.path, log: logLine }).then((made) => parts.add({ ...made, close: made.stop })),
    synthesize({ folder: options.folder, configuration, log: logLine }),
  ]);
  await run.use(assembly);
  await pruneAssemblies(options.folder, await assembliesInUse(options.folder));

  const identities = createIdentities({
    onIssue: (principal, issued) => {
      registerCredentials(emulators.ministackUrl, principal, issued).catch((error: unknown) =>
        log({ message: "credentials not registered", role: principal.role, error }),
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
  const accessLog = parts.add(createAccessLog({ folder: run.path, log, explain: options.explainAccess ? options.log : undefined }));
  const instanceTags = (id: string) => ec2.record.instances.find((each) => each.id === id)?.tags ?? {};
  const guard = createGuard({
    policies: blueprint.policies,
    facts: resourceFacts(blueprint.policies, { account, region, instanceTags }),
    identities,
    now: Date.now,
    onJudged: accessLog.note,
  });
  const urls = deferredHandler();
  const outages = createOutages();
  // Until the stack exists, there is no alarm that could miss a call.
  let noteCall: CloudWatch["noteCall"] = () => undefined;
  let listAlarms: () => readonly AlarmView[] = () => [];
  endpoint.open({
    ministackUrl: emulators.ministackUrl,
    motoUrl: emulators.motoUrl,
    ec2: ec2.handle,
    pricing: ec2.handlePricing,
    monitoring: (call) => noteCall(call),
    guard,
    sessions: (call, response) => {
      const assumed = assumedRole(call, response);
      if (assumed) identities.adopt(assumed.principal, assumed.credentials);
    },
    controls: createControls(ec2.record),
    functionUrl: outages.cutting(urls.handle),
    api: outages.cutting((call) => urls.handle({ name: apiFunction(blueprint), path: call.path }, call)),
    account: createAccountFront({ blueprint, alarms: () => listAlarms() }),
    silent: outages.isSilent,
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
  await together([
    provision(await readTemplate(assembly, stackName), world),
    uploadAssets(clients.s3, assets),
    createSpotRole(endpoint.url, credentials),
  ]);
  await accessLog.begin(blueprint.policies);
  checkWiring(blueprint, guard);

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
  listAlarms = cloudwatch.alarms.list;
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
      guard,
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
    invoke: async (name, event) => {
      if (outages.isOut("functions")) throw new FleetError("outage", `${name} is out of reach`);
      return functions.invoke(fullName(name), event);
    },
    kill: (name) => functions.kill(fullName(name)),
    outage: async (of) => {
      const outage = outages.begin(of, wires.resume);
      if (of === "functions") {
        wires.pause();
        await Promise.all(blueprint.functions.map(({ name }) => functions.kill(name)));
      }
      return outage;
    },
    close: parts.close,
  };
}

/** Returns the name of the one function that people call. */
const apiFunction = ({ functions }: Blueprint): string => functions.find(({ name }) => name.endsWith("-api"))?.name ?? "api";

/** Handles calls to function URLs, before and after the functions exist. */
function deferredHandler() {
  type UrlHandler = ReturnType<typeof createFunctionUrls>;
  let given: UrlHandler | undefined;
  const handle: UrlHandler = async (target, call) => (given ? given(target, call) : { status: 503, headers: {}, body: "" });
  const give = (how: UrlHandler): void => {
    given = how;
  };
  return { handle, give };
}

function roleOfProfile(blueprint: Blueprint, profileNameOrArn: string): string {
  const name = nameOf(profileNameOrArn);
  const profile = blueprint.instanceProfiles.find((each) => each.name === name);
  if (!profile) throw new FleetError("no-profile", `There is no instance profile ${profileNameOrArn}`);
  return profile.role;
}

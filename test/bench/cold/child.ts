/**
 * A fresh process that does what Lambda does in a cold start: imports a function's bundle, whose path is `process.argv[2]`, and calls its
 * handler with the event in `process.argv[3]`. Without arguments, it does neither. Its last line on stdout says how long it took, from the
 * start of the process.
 */
type Handler = (event: unknown, context: object) => Promise<unknown>;

const context = { functionName: "bench", awsRequestId: "bench", getRemainingTimeInMillis: () => 20_000 };

const cpuMs = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1_000;

const [, , bundle, event] = process.argv;
let importedMs = 0;
let result: unknown;
if (bundle !== undefined && event !== undefined) {
  const { handler } = (await import(bundle)) as { readonly handler: Handler };
  importedMs = performance.now();
  result = await handler(JSON.parse(event), context);
}
const took = { importedMs, calledMs: performance.now(), cpuMs: cpuMs(), result };
process.stdout.write(`\n${JSON.stringify(took)}\n`, () => process.exit());

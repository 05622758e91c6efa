// What each first word of the command line is for, as far as it can be said before anything is installed. A program
// that is ready to run prints its own, longer help.

/** @type {Readonly<Record<string, string>>} */
const texts = {
  up: `powernode up [--port N] [--host ADDR] [--data-dir DIR] …: starts a platform and the console.
The first start brings Node.js, the dependencies and a PostgreSQL of its own into this checkout.`,
  config: 'powernode config: prints the effective settings of the platform, and where each came from.',
  agent: `powernode agent join|run|status|upgrade|leave|build: the agent of an instance.
An instance without this checkout gets it by the line that "powernode join-token create" prints.`,
  lab: 'powernode lab up FILE | status | exec | matrix | cut | heal | … | down: hosts in network namespaces. Needs Linux and root.',
  demo: `npm run demo [-- --once | --keep] [--file FILE]: a lab of real hosts with the console showing them.
Needs Linux and root. It names the programs that are missing, and installs them with apt-get.`,
  bench: `npm run bench [-- NAME…]: the benchmarks, about ten minutes; one table, JSON beside it. Needs Linux and root
for most of them. They name the programs that are missing, and install them with apt-get.`,
  test: `npm test: everything that can be tested here, about half an hour. As root on Debian it installs what the tests
need with apt-get (it says what); what cannot be tested is skipped, and the last lines say why. It takes no options.`,
  check: `npm run check [-- PATH…]: the static gate and the quick tests, up to 90 s; or the quick tests below PATH.
Needs no root and no network, and changes nothing outside the checkout.`,
};

const operators = `powernode NOUN VERB [--flag …]: the command line for operators of a platform; powernode login signs in.`;

/** Whether a command line asks for help and for nothing else. What stands behind `--` is somebody else's. */
export function asksForHelp(/** @type {readonly string[]} */ args) {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  return own[0] === 'help' || own.some((word) => word === '--help' || word === '-h');
}

/** @returns {string} */
export function helpText(/** @type {string | undefined} */ word) {
  const known = word !== undefined && Object.hasOwn(texts, word) ? texts[word] : undefined;
  if (known !== undefined) return `${known}\n`;
  const all = [...Object.values(texts), operators].map((text) => text.replaceAll('\n', '\n  '));
  return `${all.join('\n')}\n\nNothing is installed yet. The first command that is no request for help does that, and says so.\n`;
}

/** For programs of the launcher's own, which have no other help. */
export function printHelpAndEnd(/** @type {string} */ word) {
  if (!asksForHelp(process.argv.slice(2))) return;
  process.stdout.write(helpText(word));
  process.exit(0);
}

// The command line as a whole: a noun for each noun of the actions, and what is not an action beside them.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import {
  type Application,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command,
  type RouteMap,
  text_en,
} from '@stricli/core';
import { actionCommand } from './commands/action-command.ts';
import { completionCommand } from './commands/completion.ts';
import { exitCodeOf, failureText } from './commands/failure.ts';
import { followCommand } from './commands/follow.ts';
import { loginCommand, logoutCommand } from './commands/login.ts';
import { mcpCommand } from './commands/mcp.ts';
import { cliVersion } from './version.ts';
import type { CliContext, NoFlags } from './world.ts';

type Verbs = Record<string, Command<CliContext>>;

export function createApp(): Application<CliContext> {
  return buildApplication(root(), {
    name: 'powernode',
    versionInfo: { currentVersion: cliVersion },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { onlyRequiredInUsageLine: true, disableAnsiColor: true },
    determineExitCode: exitCodeOf,
    localization: {
      text: {
        ...text_en,
        exceptionWhileRunningCommand: failureText,
        commandErrorResult: failureText,
      },
    },
  });
}

function root(): RouteMap<CliContext> {
  const nouns = Object.fromEntries([...verbsByNoun()].map(([noun, verbs]) => [noun, nounRoutes(verbs)]));
  return buildRouteMap<string, CliContext>({
    docs: { brief: 'Encrypted IPv6 overlays between machines', fullDescription: overview },
    routes: {
      ...nouns,
      login: loginCommand,
      logout: logoutCommand,
      mcp: mcpCommand,
      completion: completionCommand,
      version: versionCommand,
    },
  });
}

const overview = `Encrypted IPv6 overlays between machines: what an operator does, from the command line.

On the machine itself, with a help of their own:
  powernode up       start a platform            powernode config   print its effective settings
  powernode agent    join a network, run a node  powernode lab      hosts, NATs and links on this machine
  powernode demo     a lab with everything       powernode bench    the benchmarks

Signing in: powernode login, or POWERNODE_URL and POWERNODE_TOKEN (and POWERNODE_CA for an authority of one's own).
Every command takes --json for programs and --help. Changes take --dry-run.`;

function verbsByNoun(): ReadonlyMap<string, Verbs> {
  const nouns = new Map<string, Verbs>();
  for (const key of actionKeys) {
    const { noun, verb } = definitionOf(key).cli;
    nouns.set(noun, { ...nouns.get(noun), [verb]: actionCommand(key) });
  }
  nouns.set('event', { ...nouns.get('event'), follow: followCommand });
  return nouns;
}

/** A noun with one verb needs none said: `powernode whoami`. */
function nounRoutes(verbs: Verbs): RouteMap<CliContext> {
  const entries = Object.entries(verbs);
  const [first] = entries;
  const only = entries.length === 1 ? first : undefined;
  return buildRouteMap<string, CliContext>({
    docs: { brief: only?.[1].brief ?? Object.keys(verbs).join(', ') },
    routes: verbs,
    ...(only === undefined ? {} : { defaultCommand: only[0] }),
  });
}

const versionCommand = buildCommand<NoFlags, [], CliContext>({
  docs: { brief: 'Print the version' },
  parameters: {},
  func() {
    this.world.stdout.write(`${cliVersion}\n`);
  },
});

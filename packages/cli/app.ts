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
    docs: { brief: 'Encrypted IPv6 overlay networks', fullDescription: overview },
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

const overview = `Manage encrypted IPv6 overlay networks from the command line.

Local commands, each with its own --help:
  powernode up       start a platform            powernode config   print its effective settings
  powernode recover  create an owner's token, for the owner of the data directory or the database
  powernode agent    join a platform, run        powernode lab      hosts, NATs and links in network namespaces
  powernode demo     a lab with everything       powernode bench    the benchmarks

Sign in with powernode login, or set POWERNODE_URL and POWERNODE_TOKEN (and POWERNODE_CA for a private CA).
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

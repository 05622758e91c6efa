// The layers inside each package, as data: a folder imports itself and those that are listed before it.

export interface Layers {
  /** The folder that the names are of. */
  readonly root: string;
  /** From bottom to top: folders, and files that are in no folder. `*` is all other files beside the folders. */
  readonly order: readonly string[];
}

export const layers: readonly Layers[] = [
  {
    root: 'packages/core',
    order: [
      '*',
      'limits',
      'machine',
      'presence',
      'net',
      'intent',
      'wire',
      'routing',
      'compile',
      'confirm',
      'virtual-ips',
      'explain',
      'actions',
    ],
  },
  {
    root: 'packages/platform',
    order: [
      'version.ts',
      'providers',
      'store',
      'events',
      'trust',
      'install',
      'coordination',
      'access',
      'config',
      'observe',
      'deliver',
      'actions',
      'autonomy',
      'surfaces',
      'start',
      'main.ts',
    ],
  },
  {
    root: 'packages/agent',
    order: [
      'version.ts',
      'process-memory.ts',
      'ports',
      'checks',
      'state',
      'link',
      'subsystems',
      'probe',
      'plan',
      'observe',
      'host',
      'connections',
      'bgp',
      'apply',
      'confirm',
      'agent.ts',
      'commands',
      'main.ts',
      'build',
      'build.ts',
    ],
  },
  {
    root: 'packages/console/src',
    order: ['api', 'parts', 'app', 'pages', 'router.tsx', 'main.tsx', 'bootstrap'],
  },
  {
    root: 'packages/cli',
    order: ['version.ts', 'world.ts', 'show', 'login', 'remote', 'mcp', 'commands', '*'],
  },
  {
    root: 'packages/lab',
    order: ['plan', 'stage', 'inside', 'fleet', 'life', 'watch', '*'],
  },
];

export interface LayerException {
  readonly imported: string;
  readonly by: readonly string[];
  readonly because: string;
}

const context = 'these parts work inside the transaction of an action, and its type belongs to the actions';

export const exceptions: readonly LayerException[] = [
  {
    imported: 'packages/platform/actions/context.ts',
    by: [
      'packages/platform/access/last-way-in.ts',
      'packages/platform/access/maker-rights.ts',
      'packages/platform/access/rights.ts',
      'packages/platform/coordination/operations/kind.ts',
      'packages/platform/coordination/operations/rows.ts',
      'packages/platform/coordination/operations/runner.ts',
    ],
    because: context,
  },
  {
    imported: 'packages/platform/actions/invoke-types.ts',
    by: [
      'packages/platform/access/authenticate.ts',
      'packages/platform/access/callers.ts',
      'packages/platform/access/last-way-in.ts',
      'packages/platform/access/rights.ts',
      'packages/platform/access/stream-rights.ts',
    ],
    because: 'surfaces, the gate and access share the type of a caller, which is stated with the gate',
  },
  ...[
    'packages/platform/actions/context.ts',
    'packages/platform/actions/gate/consequences.ts',
    'packages/platform/actions/gate/invoke.ts',
    'packages/platform/actions/gate/outdated.ts',
    'packages/platform/actions/gate/record.ts',
  ].map((imported) => ({
    imported,
    by: ['packages/platform/coordination/system-actor.ts'],
    because: 'a change of the platform itself is recorded by the gate, as one of an operator is',
  })),
  {
    imported: 'packages/platform/access/maker-rights.ts',
    by: ['packages/platform/trust/enrol.ts'],
    because: 'a join token is evaluated by the rights of its maker, by the rules that hold for API tokens',
  },
  {
    imported: 'packages/lab/lab.ts',
    by: ['packages/lab/watch/loss.ts'],
    because: 'losses are measured on a whole lab, through its public class',
  },
];

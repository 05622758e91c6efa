// `powernode completion bash|zsh|fish` prints what a shell has to read to complete commands and flags.
import { buildCommand } from '@stricli/core';
import type { CliContext, NoFlags } from '../world.ts';

/** The word with which a shell asks for completions; see main.ts. */
export const completeWord = '__complete';

const bash = `_powernode() {
  local IFS=$'\\n'
  COMPREPLY=($(powernode ${completeWord} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _powernode powernode
`;

const scripts = {
  bash,
  zsh: `autoload -U +X bashcompinit && bashcompinit\n${bash}`,
  fish: `complete -c powernode -f -a '(powernode ${completeWord} (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'\n`,
};
type Shell = keyof typeof scripts;

function parseShell(text: string): Shell {
  if (Object.hasOwn(scripts, text)) return text as Shell;
  throw new SyntaxError('must be bash, zsh or fish');
}

export const completionCommand = buildCommand<NoFlags, [Shell], CliContext>({
  docs: {
    brief: 'Print the completion script of a shell',
    fullDescription:
      'For bash: powernode completion bash > ~/.local/share/bash-completion/completions/powernode',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'bash, zsh or fish', parse: parseShell, placeholder: 'shell' }],
    },
  },
  func(_, shell) {
    this.world.stdout.write(scripts[shell]);
  },
});

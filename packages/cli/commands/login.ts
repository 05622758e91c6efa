// `powernode login` and `powernode logout`.
import { type actions, definitionOf } from '@powernode/core/actions/catalogue';
import { outputOf } from '@powernode/core/actions/define';
import { buildCommand } from '@stricli/core';
import type { z } from 'zod';
import { loginPath, removeLogin, writeLogin } from '../login/login-file.ts';
import { readToken } from '../login/secret-input.ts';
import { checkedUrl, defaultUrl, namedAuthority } from '../login/target.ts';
import { Platform } from '../remote/platform.ts';
import { clean } from '../show/text.ts';
import type { CliContext, NoFlags } from '../world.ts';

interface LoginFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

const optionalText = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, optional: true, brief, placeholder }) as const;

export const loginCommand = buildCommand<LoginFlags, [], CliContext>({
  docs: {
    brief: 'Sign in and remember it',
    fullDescription:
      'Checks the token and keeps it, with the address, in a file that only you can read.\nThe token is read from --token-file, from standard input, or typed without being shown; it is never an argument.',
  },
  parameters: {
    flags: {
      url: optionalText(`Address of the platform (default POWERNODE_URL or ${defaultUrl})`, 'url'),
      tokenFile: optionalText('File with the token, such as <data-dir>/admin-token', 'file'),
      ca: optionalText('PEM file of the authority that signed its certificate', 'file'),
    },
  },
  async func(flags) {
    const { world } = this;
    const url = checkedUrl(flags.url ?? (world.env['POWERNODE_URL'] || defaultUrl));
    const authorityPem = await namedAuthority(world, flags);
    const token = await readToken(world, flags.tokenFile);
    const who = await whoami(new Platform({ url, token, authorityPem }));
    const file = await writeLogin(world.env, {
      url,
      token,
      ...(authorityPem === null ? {} : { authority_pem: authorityPem }),
    });
    const name = clean(who.operator.name);
    world.stdout.write(
      `Signed in at ${url} as ${name} (${who.operator.role}, account ${clean(who.account.name)}).\n`,
    );
    world.stdout.write(`Kept in ${file}.\n`);
  },
});

export const logoutCommand = buildCommand<NoFlags, [], CliContext>({
  docs: {
    brief: 'Forget the stored token',
    fullDescription:
      'Removes the file that powernode login wrote. The token itself stays valid until it is revoked.',
  },
  parameters: {},
  async func() {
    const removed = await removeLogin(this.world.env);
    this.world.stdout.write(removed ? `Removed ${loginPath(this.world.env)}.\n` : 'Nobody was signed in.\n');
  },
});

export type Whoami = z.output<z.ZodObject<(typeof actions.whoami)['output']>>;

export async function whoami(platform: Platform): Promise<Whoami> {
  const action = definitionOf('whoami');
  const { body } = await platform.call(action, {});
  return outputOf(action).parse(body) as Whoami;
}

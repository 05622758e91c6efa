// A join token in the one answer that shows it: with the command that has its secret.
import type { Output } from '../../api/client.ts';

export type FreshToken = Output<'createJoinToken'>['join_token'];

// `powernode event follow`: events as they happen, one a line.
import { ProductError } from '@powernode/core/errors';
import { type Event, event as eventSchema } from '@powernode/core/intent/fleet';
import { isRecord } from '@powernode/core/json';
import { buildCommand } from '@stricli/core';
import { findTarget } from '../login/target.ts';
import { followEvents } from '../remote/follow-events.ts';
import { platformAt } from '../remote/platform.ts';
import { clean } from '../show/text.ts';
import type { CliContext } from '../world.ts';
import { reporting } from './failure.ts';
import { commonFlags } from './flags.ts';

interface FollowFlags {
  readonly kindPrefix?: string;
  readonly json?: boolean;
  readonly url?: string;
  readonly ca?: string;
}

export const followCommand = buildCommand<FollowFlags, [], CliContext>({
  docs: {
    brief: 'Follow events live',
    fullDescription:
      'Prints each event as it happens, until interrupted. After a lost connection it resumes without gaps.\nPermission: system.events.read.',
  },
  parameters: {
    flags: {
      kindPrefix: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Only event kinds with this prefix, such as sdwan.peer',
        placeholder: 'prefix',
      },
      ...commonFlags,
    },
  },
  func(flags) {
    return reporting(flags.json, async () => {
      const { stdout, stderr } = this.world;
      const query = new URLSearchParams(
        flags.kindPrefix === undefined ? {} : { kind_prefix: flags.kindPrefix },
      );
      await followEvents({
        platform: platformAt(await findTarget(this.world, flags)),
        path: `/api/v1/events/stream?${query.toString()}`,
        read: parseEvent,
        onEvent: (event) =>
          stdout.write(flags.json === true ? `${JSON.stringify(event)}\n` : eventLine(event)),
        onLost: (reason) => stderr.write(`powernode: reconnecting: ${clean(reason)}\n`),
      });
    });
  },
});

function parseEvent(data: string): Event {
  try {
    return eventSchema.parse(JSON.parse(data));
  } catch {
    throw new ProductError(
      'protocol_mismatch',
      `The platform sent an invalid event: ${clean(data.slice(0, 200))}`,
    );
  }
}

function eventLine(event: Event): string {
  const words = [event.at, event.severity.padEnd(7), event.kind, event.actor.name, subjectOf(event.payload)];
  return `${words.map(clean).join('  ')}\n`;
}

/** What it happened to, by name where it has one; --json has the whole of it. */
function subjectOf(payload: Event['payload']): string {
  const object = payload['after'] ?? payload['before'];
  if (!isRecord(object) || typeof object['id'] !== 'string') return JSON.stringify(payload);
  const name = object['name'] ?? object['hostname'];
  return typeof name === 'string' ? `${name} (${object['id']})` : object['id'];
}

// `powernode event follow`: events as they happen, one a line.
import { ProductError } from '@powernode/core/errors';
import { type Event, event as eventSchema } from '@powernode/core/intent/fleet';
import { buildCommand } from '@stricli/core';
import { findTarget } from '../login/target.ts';
import { followEvents } from '../remote/event-stream.ts';
import { Platform } from '../remote/platform.ts';
import { clean, isRecord } from '../show/text.ts';
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
      'Prints each event as it happens, until you stop it. A lost connection is taken up again where it was.\nPermission: system.events.read.',
  },
  parameters: {
    flags: {
      kindPrefix: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Only kinds that begin with this, such as sdwan.peer',
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
      const events = followEvents({
        platform: new Platform(await findTarget(this.world, flags)),
        path: `/api/v1/events/stream?${query.toString()}`,
        onLost: (reason) => stderr.write(`powernode: connecting again: ${clean(reason)}\n`),
      });
      for await (const { data } of events) {
        const event = parseEvent(data);
        stdout.write(flags.json === true ? `${JSON.stringify(event)}\n` : eventLine(event));
      }
    });
  },
});

function parseEvent(data: string): Event {
  try {
    return eventSchema.parse(JSON.parse(data));
  } catch {
    throw new ProductError(
      'protocol_mismatch',
      `The platform sent an event that is none: ${clean(data.slice(0, 200))}`,
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

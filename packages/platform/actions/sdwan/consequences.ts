// What a change of one object means for others that nobody has touched: doors that lead nowhere now, and devices whose
// configuration is outdated now. Told as events, in the transaction of the change.
import type { ActionContext } from '../context.ts';
import { tellOfStaleDevices } from './devices/stale-events.ts';
import { tellOfLostDoors } from './port-mappings/lost-doors.ts';

/** To be called once all changes of the transaction are made. */
export async function noteConsequences(context: ActionContext): Promise<void> {
  if (context.changes.length === 0) return;
  await tellOfLostDoors(context);
  await tellOfStaleDevices(context);
}

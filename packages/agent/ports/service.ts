// The agent as a service of systemd, where it is one: asked and told through systemctl.
import { existsSync } from 'node:fs';
import { agentServiceName, agentStateFolder } from '@powernode/core/machine/service';
import type { Run } from './run.ts';

/** What systemd leaves where it is in charge (sd_booted(3)). */
const booted = '/run/systemd/system';

/** Whether a service keeps the agent of this folder going. */
export async function hasService(run: Run, stateFolder: string): Promise<boolean> {
  if (stateFolder !== agentStateFolder || !existsSync(booted)) return false;
  return (await systemctl(run, 'is-active')) === 0;
}

/** Ends the agent as a service, so that systemd does not start it again. The tunnels stay. */
export async function stopService(run: Run): Promise<void> {
  await systemctl(run, 'stop');
}

/** From here on the service is the program that stands on the disk now. The tunnels stay. */
export async function restartService(run: Run): Promise<boolean> {
  return (await systemctl(run, 'restart')) === 0;
}

async function systemctl(run: Run, verb: 'is-active' | 'stop' | 'restart'): Promise<number> {
  const outcome = await run.attempt({ program: 'systemctl', args: [verb, '--quiet', agentServiceName] });
  return outcome.exitCode;
}

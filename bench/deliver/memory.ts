// Resident memory of a server by how many machines are connected, after its garbage was collected.
import { setTimeout as pause } from 'node:timers/promises';
import { type Started, start } from '../stage/child.ts';
import { Inspector } from '../stage/inspector.ts';
import { inspectorFlag } from '../stage/platform.ts';
import { residentBytesOf } from '../stage/processes.ts';
import type { Fleet } from './fleet.ts';
import { NodesProcess } from './nodes-process.ts';

export async function collectedBytesOf(server: Pick<Started, 'inspectorUrl' | 'pid'>): Promise<number> {
  const inspector = await Inspector.open(server.inspectorUrl);
  await inspector.collectGarbage();
  inspector.close();
  return residentBytesOf(server.pid);
}

/** What a connection costs a server that does nothing. */
export async function bareBytesPerConnection(
  fleet: Pick<Fleet, 'credentialsFile' | 'serverFile'>,
  of: { readonly connections: number; readonly atOnce: number },
): Promise<number> {
  const server = await start({
    nodeArgs: [inspectorFlag],
    file: 'bench/deliver/bare-main.ts',
    args: [fleet.serverFile],
    ready: /^listening on (\d+)/,
  });
  const nodeUrl = `https://127.0.0.1:${server.said}`;
  const nodes = new NodesProcess({ nodeUrl, credentialsFile: fleet.credentialsFile });
  try {
    const empty = await collectedBytesOf(server);
    await nodes.tell({ kind: 'connect', from: 0, to: of.connections, atOnce: of.atOnce });
    await pause(500);
    return ((await collectedBytesOf(server)) - empty) / of.connections;
  } finally {
    await nodes.end();
    await server.stop();
  }
}

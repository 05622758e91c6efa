// The program inside each host: answers at the addresses that the host has, sends packets, and says what became of
// them. It waits for no time: a packet whose path's marker has come back since has had its chance.
import { createInterface } from 'node:readline';
import { Connections } from './connections.ts';
import { Markers } from './markers.ts';
import { Server } from './server.ts';
import { shoot } from './shots.ts';
import { type Command, connectionPort, markerPort, type Reply } from './wire.ts';

const server = new Server();
const markers = new Markers();
const connections = new Connections(markers);

async function obey(command: Command): Promise<Reply> {
  switch (command.command) {
    case 'serve':
      await server.serve(command.addresses);
      return { outcomes: [] };
    case 'open':
      await markers.open(command.flows);
      await connections.open(
        command.flows
          .filter(({ port }) => port === markerPort)
          .map((flow) => ({ ...flow, port: connectionPort })),
      );
      return { outcomes: [] };
    case 'ask':
      return { outcomes: await connections.ask() };
    case 'send': {
      const shots = command.shots.map((shot) => shoot(shot));
      await Promise.all(shots.map((shot) => shot.sent));
      const flows = new Set(command.shots.map((shot) => shot.flow));
      await Promise.all([...flows].map((flow) => markers.roundTrip(flow)));
      return { outcomes: await Promise.all(shots.map((shot) => shot.end())) };
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await obey(JSON.parse(line) as Command).catch(
    (error): Reply => ({ error: error instanceof Error ? error.message : String(error) }),
  );
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit(0);

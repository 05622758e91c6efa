// The program inside each host: answers at the addresses that the host has, sends packets, and says what became of
// them. It waits for no time: a packet whose path's marker has come back since has had its chance.
import { createInterface } from 'node:readline';
import { Markers } from './markers.ts';
import { Server } from './server.ts';
import { shoot } from './shots.ts';
import type { Command, Reply } from './wire.ts';

const server = new Server();
const markers = new Markers();

async function obey(command: Command): Promise<Reply> {
  switch (command.command) {
    case 'serve':
      await server.serve(command.addresses);
      return { outcomes: [] };
    case 'open':
      await markers.open(command.flows);
      return { outcomes: [] };
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
  const reply = await obey(JSON.parse(line) as Command);
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit(0);

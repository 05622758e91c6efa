import { SimulatedNode } from './simulated-node.ts';
let nodes: SimulatedNode[] = [];
let expectRev = 0, expectCount = 0, got = 0, early = new Map<number, number>(), docs = 0, total = 0;
process.on('message', async (m: any) => {
  if (m.kind === 'start') {
    total = m.creds.length;
    nodes = m.creds.map((c: any) => new SimulatedNode({ nodeUrl: m.url, credentials: c, unusedKeys: c.keys, onMessage: (msg) => {
      if (msg.kind === 'document') docs++;
      if (msg.kind === 'delta') {
        if (msg.revision === expectRev) { got++; check(); } else early.set(msg.revision, (early.get(msg.revision) ?? 0) + 1);
      }
    } }));
    const queue = [...nodes];
    await Promise.all(Array.from({ length: 20 }, async () => { for (let n = queue.pop(); n; n = queue.pop()) await n.connect(); }));
    while (docs < total) await new Promise((r) => setTimeout(r, 10));
    process.send!({ kind: 'connected' });
  } else if (m.kind === 'expect') {
    expectRev = m.revision; expectCount = m.count; got = early.get(m.revision) ?? 0; check();
  } else if (m.kind === 'stop') process.exit(0);
});
function check() { if (got === expectCount) { process.send!({ kind: 'all', at: performance.timeOrigin + performance.now() }); got = -1e9; } }

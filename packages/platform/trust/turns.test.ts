// Turns at something costly, under floods: how many are under way, who waits, and who is refused.
import { ProductError } from '@powernode/core/errors';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const limits = { atOnce: 2, waiting: 4, retryAfterSeconds: 3 };

/** Work that ends when it is told to. */
class Stage {
  readonly turns = new Turns(limits);
  readonly begun: string[] = [];
  readonly ended: string[] = [];
  readonly refused: string[] = [];
  readonly #ends = new Map<string, () => void>();

  ask(source: string, name: string): void {
    const work = () =>
      new Promise<void>((resolve) => {
        this.begun.push(name);
        this.#ends.set(name, resolve);
      });
    void this.turns.take(source, work).then(
      () => this.ended.push(name),
      (error: unknown) => {
        expect(error).toBeInstanceOf(ProductError);
        expect(error).toMatchObject({ code: 'busy', members: { retry_after_seconds: 3 } });
        this.refused.push(name);
      },
    );
  }

  get underWay(): string[] {
    return [...this.#ends.keys()];
  }

  async endOne(): Promise<void> {
    const [first] = this.#ends;
    if (first === undefined) return;
    this.#ends.delete(first[0]);
    first[1]();
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

test('a few go on at once, and the others follow in their turn [9.6]', async () => {
  const stage = new Stage();
  for (const n of [1, 2, 3, 4]) stage.ask('192.0.2.1', `a${n}`);
  expect(stage.begun).toEqual(['a1', 'a2']);
  await stage.endOne();
  expect(stage.begun).toEqual(['a1', 'a2', 'a3']);
  await stage.endOne();
  await stage.endOne();
  await stage.endOne();
  expect(stage.ended).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('a flood from one address keeps nobody else out, and waits behind them [9.6]', async () => {
  const stage = new Stage();
  for (let n = 1; n <= 20; n++) stage.ask('192.0.2.1', `flood${n}`);
  await stage.settled();
  expect(stage.refused).toHaveLength(14);
  stage.ask('198.51.100.7', 'right');
  await stage.settled();
  expect(stage.refused).toHaveLength(15);
  expect(stage.refused).not.toContain('right');
  await stage.endOne();
  await stage.endOne();
  expect(stage.begun).toContain('right');
});

test('addresses of one /64 are one source [9.6]', async () => {
  const stage = new Stage();
  for (let n = 1; n <= 6; n++) stage.ask(`2001:db8::${n}`, `one${n}`);
  stage.ask('2001:db8::99', 'same');
  stage.ask('2001:db8:1::1', 'another');
  await stage.settled();
  expect(stage.refused).toEqual(['same', 'one6']);
});

test('whatever comes and ends: never more at once, nobody waits while there is room, each has an outcome [9.6]', async () => {
  const step = fc.oneof(fc.constant('end' as const), fc.integer({ min: 1, max: 4 }));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const stage = new Stage();
      let asked = 0;
      for (const one of steps) {
        if (one === 'end') await stage.endOne();
        else stage.ask(`192.0.2.${one}`, `${asked++}`);
        await stage.settled();
        expect(stage.underWay.length).toBeLessThanOrEqual(limits.atOnce);
        const waiting = asked - stage.begun.length - stage.refused.length;
        expect(waiting).toBeLessThanOrEqual(limits.waiting);
        if (waiting > 0) expect(stage.underWay).toHaveLength(limits.atOnce);
      }
      while (stage.underWay.length > 0) await stage.endOne();
      expect(stage.ended.length + stage.refused.length).toBe(asked);
    }),
  );
});

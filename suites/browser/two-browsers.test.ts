// Two operators in two browsers on one object, on a running platform with its database: no change is lost, and whoever is
// overtaken is told by whom and asked. Generated from the catalogue: every action that takes `if_revision`. Each form is
// tried in one of three ways, with one of its fields, both drawn with a fresh seed; POWERNODE_TWO_BROWSERS=all tries all
// fields in all ways, which takes a quarter of an hour.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goTo, openBrowser, openSignedIn } from '../../packages/console/browser/browser.ts';
import { labelOf } from '../../packages/console/src/parts/values.ts';
import { Chance } from '../stage/random.ts';
import { type Case, cases, type DeedCase, type FormCase, type ListCase } from './cases.ts';
import type { Field, Shown } from './fields.ts';
import { makeScene, type Scene } from './scene.ts';

const seed = Number(process.env['POWERNODE_SEED'] ?? Date.now() % 1_000_000);
const isAll = process.env['POWERNODE_TWO_BROWSERS'] === 'all';
const drawn = isAll ? Number.POSITIVE_INFINITY : 1;
const chance = new Chance(seed);

/** Some of them in their order, or all. */
function someOf<T>(items: readonly T[]): T[] {
  let left = Math.min(drawn, items.length);
  return items.filter((_, i) => {
    const isDrawn = chance.below(items.length - i) < left;
    if (isDrawn) left--;
    return isDrawn;
  });
}

/** The test machine is shared: this ends what would never end. */
const waitMs = 60_000;

let scene: Scene;
let browser: Browser;
beforeAll(async () => {
  scene = await makeScene();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await scene?.platform.end();
});

let numbers = 0;
const number = () => ++numbers;

const consoleFolder = path.join(import.meta.dirname, '..', '..', 'packages', 'console', 'src');
const consoleSources = readdirSync(consoleFolder, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
  .map((file) => readFileSync(path.join(consoleFolder, file), 'utf8'))
  .join('\n');

const revised = actionKeys.filter((key) => definitionOf(key).revised);

function casesOf<C extends Case>(...kinds: readonly C['kind'][]): [ActionKey, C][] {
  return Object.entries(cases).flatMap(([key, one]) =>
    kinds.includes(one.kind) ? [[key as ActionKey, one as C] as [ActionKey, C]] : [],
  );
}

test('each action that takes if_revision is tried by two browsers, with each of its parameters [9.12]', () => {
  expect(Object.keys(cases).sort()).toEqual([...revised].sort());
  for (const [key, { fields, without }] of casesOf<FormCase>('form')) {
    const { input, subject } = definitionOf(key);
    const tried = fields({ ids: {}, members: {} } as unknown as Scene).map(({ parameter }) => parameter);
    const expected = Object.keys(input).filter((name) => name !== subject);
    expect([...tried, ...without].sort(), key).toEqual(expected.sort());
  }
  for (const [key] of casesOf('none')) expect(consoleSources, key).not.toContain(`'${key}'`);
  for (const [key] of casesOf('unpressed')) expect(consoleSources, key).toContain(`action="${key}"`);
});

/** The object that the action changes, as the platform has it. */
async function objectOf(key: ActionKey): Promise<Shown> {
  const { subject, output } = definitionOf(key);
  const [noun = ''] = Object.keys(output);
  const id = scene.ids[subject ?? ''];
  if (noun === 'operator') {
    const { operators } = await scene.platform.action<{ operators: Shown[] }>('system_list_operators', {});
    return operators.find((one) => one['id'] === id) ?? {};
  }
  const reading = actionKeys.find((one) => {
    const other = definitionOf(one);
    return other.category === null && other.subject === subject && Object.keys(other.output)[0] === noun;
  });
  if (reading === undefined) throw new Error(`nothing reads what ${key} changes`);
  const input = { [subject ?? '']: id };
  const answer = await scene.platform.action<Record<string, Shown>>(definitionOf(reading).name, input);
  return answer[noun] ?? {};
}

interface Side {
  readonly page: Page;
  readonly form: Locator;
  /** From anew, so that it has the object as it is now. */
  load(): Promise<void>;
  close(): Promise<void>;
}

/** Of each operator, by whether its stream of events gets through: with what it has loaded of the console. */
const contexts = new Map<string, BrowserContext>();

async function pageOf(token: string, deaf: boolean): Promise<Page> {
  const key = `${token} ${deaf}`;
  const known = contexts.get(key);
  if (known !== undefined) return known.newPage();
  const { page, context } = await openSignedIn(browser, { url: scene.platform.url, token });
  contexts.set(key, context);
  if (deaf) await context.route('**/api/v1/events/stream*', () => {});
  return page;
}

/** A browser of one of the two. `deaf`: its stream of events does not get through yet. */
async function sideOf(path: string, token: string, { deaf = false } = {}): Promise<Side> {
  const page = await pageOf(token, deaf);
  page.setDefaultTimeout(waitMs);
  const load = async () => {
    await goTo(page, path);
    if (!deaf) await page.locator('.connection:visible', { hasText: 'Live' }).waitFor();
  };
  await load();
  return { page, form: page.getByRole('dialog').locator('form'), load, close: () => page.close() };
}

async function twoOn(path: string, of: { readonly deaf?: boolean } = {}): Promise<[mine: Side, hers: Side]> {
  return [await sideOf(path, scene.platform.token, of), await sideOf(path, scene.graceToken)];
}

/** The platform may have changed it as well, such as by moving an address. */
const byGrace = /Grace( and \w+)* changed this while you were editing/;
const noteIn = ({ form }: Side) => form.locator('.note').filter({ hasText: byGrace });
const saveButton = ({ form }: Side) => form.getByRole('button', { name: 'Save', exact: true });

/**
 * Saves, looks at the plan where there is one, and waits until the form is closed. An address that the platform moves at
 * this moment has another revision by then, though nothing of the form: it is saved again.
 */
async function save(side: Side): Promise<void> {
  const { form } = side;
  const again = form.getByRole('button', { name: /^Save: change/ });
  const refused = form.getByText(/It has revision \d+ by now/).first();
  // It may be gone before it is pressed.
  const press = (button: Locator) => button.click({ timeout: 1000 }).catch(() => {});
  await saveButton(side).click();
  try {
    await expect
      .poll(
        async () => {
          if (await again.isVisible()) await press(again);
          else if (await refused.isVisible()) await press(saveButton(side));
          return form.count();
        },
        { timeout: waitMs },
      )
      .toBe(0);
  } catch (error) {
    throw new Error(`it was not saved: ${await form.innerText()}`, { cause: error });
  }
}

/** What the fields of the form stand for in the object. */
function valuesOf(object: Shown, fields: readonly Field[]): Shown {
  return Object.fromEntries(fields.map(({ parameter }) => [parameter, object[parameter] ?? null]));
}

interface Met {
  readonly key: ActionKey;
  readonly form: FormCase;
  readonly mine: Side;
  readonly hers: Side;
}

/** She saves one field while I write another; my form tells it, and sends nothing before I have decided. */
async function overtake(
  { key, form, mine, hers }: Met,
  of: { readonly first: Field; readonly second: Field; readonly a: string; readonly b: string },
): Promise<Shown> {
  const before = await objectOf(key);
  await Promise.all([mine.load(), hers.load()]);
  await form.open(mine.page, before);
  await of.second.write(mine.form, of.b);
  await form.open(hers.page, before);
  await of.first.write(hers.form, of.a);
  await save(hers);
  const saved = await objectOf(key);
  expect(of.first.isAt(saved, of.a), `${key} ${of.first.parameter} ${of.a}`).toBe(true);
  const told = noteIn(mine).getByRole('listitem');
  await told.filter({ hasText: `${labelOf(of.first.parameter)}:` }).waitFor();
  await saveButton(mine).click();
  await noteIn(mine).waitFor();
  expect(await objectOf(key)).toMatchObject(valuesOf(saved, form.fields(scene)));
  return saved;
}

const forms = casesOf<FormCase>('form');
const ways = ['another field', 'the same field', 'nothing heard'] as const;
const firstWay = chance.below(ways.length);

/** Of the forms those that are tried in this way. So many forms use each of them in every run. */
function formsIn(way: (typeof ways)[number]): [ActionKey, FormCase][] {
  return forms.filter((_, i) => isAll || ways[(firstWay + i) % ways.length] === way);
}

describe('another field', () => {
  test.each(formsIn('another field'))(
    '%s: a colleague’s stays, and is told in the open form [9.12]',
    async (key, form) => {
      const [mine, hers] = await twoOn(form.path(scene));
      const fields = form.fields(scene);
      const tried = new Set<string>();
      const pairs = fields.map((first, i) => [first, fields[(i + 1) % fields.length] ?? first] as const);
      const some = someOf(pairs);
      for (const [first, second] of some) {
        const object = await objectOf(key);
        const [a] = first.values(object, [number()]);
        const [b] = second.values(object, [number()]);
        if (a === undefined || b === undefined) continue;
        expect(
          first.isAt(object, a) || second.isAt(object, b),
          `seed ${seed}: ${a} or ${b} is there already`,
        ).toBe(false);
        tried.add(first.parameter).add(second.parameter);
        const saved = await overtake({ key, form, mine, hers }, { first, second, a, b });
        const goOn = noteIn(mine).getByRole('button', { name: 'Continue with the newer values' });
        const isMerged = (await goOn.count()) > 0;
        if (isMerged) await goOn.click();
        else await noteIn(mine).getByRole('button', { name: 'Use the newer values' }).click();
        await noteIn(mine).waitFor({ state: 'detached' });
        await save(mine);
        const after = await objectOf(key);
        const pair = `seed ${seed}: ${first.parameter} = ${a}, then ${second.parameter} = ${b}`;
        expect(first.isAt(after, a), `${pair}: the first is lost`).toBe(true);
        if (isMerged) expect(second.isAt(after, b), `${pair}: the second is lost`).toBe(true);
        const others = fields.filter(({ parameter }) => parameter !== second.parameter);
        expect(valuesOf(after, others), pair).toEqual(valuesOf(saved, others));
      }
      const wanted = new Set(some.flat().map(({ parameter }) => parameter));
      expect([...tried].sort(), `seed ${seed}`).toEqual([...wanted].sort());
      await mine.close();
      await hers.close();
    },
  );
});

describe('the same field', () => {
  test.each(formsIn('the same field'))('%s: is not overwritten unasked [9.12]', async (key, form) => {
    const [mine, hers] = await twoOn(form.path(scene));
    let asked = 0;
    const object = await objectOf(key);
    // Of two choices both want the same one.
    const contested = form
      .fields(scene)
      .filter((field) => field.values(object, [number(), number()])[1] !== undefined);
    for (const field of someOf(contested)) {
      const [a = '', b = ''] = field.values(await objectOf(key), [number(), number()]);
      const saved = await overtake({ key, form, mine, hers }, { first: field, second: field, a, b });
      await noteIn(mine).getByText('your value: ').waitFor();
      const keeps = asked++ % 2 === 0;
      const decision = keeps ? 'Keep mine and continue' : 'Use the newer values';
      await noteIn(mine).getByRole('button', { name: decision }).click();
      await noteIn(mine).waitFor({ state: 'detached' });
      await save(mine);
      const after = await objectOf(key);
      expect(field.isAt(after, keeps ? b : a), `${field.parameter}: ${decision}`).toBe(true);
      // Not its revision: the platform moves an address when it likes.
      if (!keeps) expect(valuesOf(after, form.fields(scene))).toEqual(valuesOf(saved, form.fields(scene)));
    }
    expect(asked).toBeGreaterThan(0);
    await mine.close();
    await hers.close();
  });
});

test.each(formsIn('nothing heard'))(
  '%s: who has heard nothing is told when it is saved, and by whom [9.12]',
  async (key, form) => {
    const [first, other] = form.fields(scene);
    if (first === undefined) throw new Error(`${key} has no field`);
    // Of a form with one field, both write the same one.
    const second = other ?? first;
    const [mine, hers] = await twoOn(form.path(scene), { deaf: true });
    const object = await objectOf(key);
    const [a = ''] = first.values(object, [number()]);
    const [b = ''] = second.values(object, [number()]);
    await form.open(mine.page, object);
    await second.write(mine.form, b);
    await form.open(hers.page, object);
    await first.write(hers.form, a);
    await save(hers);
    await saveButton(mine).click();
    const decision = other === undefined ? 'Keep mine and continue' : 'Continue with the newer values';
    await noteIn(mine).getByRole('button', { name: decision }).click();
    await noteIn(mine).waitFor({ state: 'detached' });
    await save(mine);
    const after = await objectOf(key);
    expect([first.isAt(after, a), second.isAt(after, b)]).toEqual([other !== undefined, true]);
    await mine.close();
    await hers.close();
  },
);

async function changeAsGrace(key: ActionKey, part: Shown): Promise<void> {
  const { name, subject } = definitionOf(key);
  await scene.asGrace(name, { [subject ?? '']: scene.ids[subject ?? ''], ...part });
}

test.each(casesOf<ListCase>('list'))(
  '%s: a list that a colleague wrote meanwhile is not replaced [9.12]',
  async (key, list) => {
    const mine = await sideOf(list.path(scene), scene.platform.token);
    await list.open(mine.page);
    await changeAsGrace(list.meanwhile.key, list.meanwhile.part);
    const hers = await objectOf(key);
    await mine.page.getByRole('button', { name: list.press, exact: true }).click();
    await mine.page
      .getByText(/It has revision \d+ by now/)
      .first()
      .waitFor();
    expect(await objectOf(key)).toMatchObject({ revision: hers['revision'] });
    await mine.close();
  },
);

test.each(casesOf<DeedCase>('button'))('%s: a change of a colleague stays [9.12]', async (key, deed) => {
  const mine = await sideOf(deed.path(scene), scene.platform.token);
  const before = await objectOf(key);
  await deed.open(mine.page, before);
  await changeAsGrace(deed.meanwhile.key, deed.meanwhile.part);
  // The page has heard of it.
  await mine.page
    .getByText(String(Object.values(deed.meanwhile.part).flat()[0]))
    .first()
    .waitFor();
  const press = () => mine.page.getByRole('button', { name: deed.press }).click();
  const refused = mine.page.getByText(/It has revision \d+ by now/).first();
  await press();
  await expect
    .poll(
      async () => {
        // Pressed on what the page knew before: it is told, and pressed again.
        if (await refused.isVisible()) await press();
        return deed.isDone?.(await objectOf(key), before);
      },
      { timeout: waitMs },
    )
    .toBe(true);
  expect(await objectOf(key)).toMatchObject(deed.meanwhile.part);
  await mine.close();
});

test.each(casesOf<DeedCase>('question'))(
  '%s: what a colleague changed meanwhile is not ended by an older question [9.12]',
  async (key, deed) => {
    const mine = await sideOf(deed.path(scene), scene.platform.token);
    const before = await objectOf(key);
    await deed.open(mine.page, before);
    const question = mine.page.getByRole('dialog').filter({ hasText: 'Plan' });
    await question
      .getByText(/instances? changes?\b/)
      .first()
      .waitFor();
    await changeAsGrace(deed.meanwhile.key, deed.meanwhile.part);
    const now = question.getByLabel('Approve now');
    if ((await now.count()) > 0) await now.check();
    await question.getByRole('button', { name: deed.press }).click();
    await question
      .getByText(/It has revision \d+ by now/)
      .first()
      .waitFor();
    const after = await objectOf(key);
    expect(after).toMatchObject(deed.meanwhile.part);
    expect(deed.isDone?.(after, before) ?? false).toBe(false);
    await mine.close();
  },
);

test('setPolicy: what a colleague set meanwhile is told, and is set over only after a decision [9.12]', async () => {
  const category = 'sdwan.virtual_ip_failover';
  const [mine, hers] = await twoOn('/policies');
  const choose = (page: Page, mode: string) =>
    page.getByRole('row').filter({ hasText: category }).getByRole('combobox').selectOption(mode);
  const mode = async () => {
    const { policies } = await scene.platform.action<{ policies: Shown[] }>('system_list_policies', {
      limit: 500,
    });
    return policies.find((one) => one['category'] === category)?.['mode'];
  };
  await choose(mine.page, 'auto_approve');
  const question = mine.page.getByRole('dialog');
  await question.getByText('This loosens the policy').waitFor();
  await choose(hers.page, 'blocked');
  await hers.page.getByRole('button', { name: 'Tighten policy' }).click();
  await expect.poll(mode).toBe('blocked');
  await question.getByText(byGrace).waitFor();
  await question.getByRole('button', { name: 'Loosen policy' }).click();
  await question
    .getByText(/It has revision \d+ by now/)
    .first()
    .waitFor();
  expect(await mode()).toBe('blocked');
  await question.getByRole('button', { name: 'Continue from there' }).click();
  await question.getByRole('button', { name: 'Loosen policy' }).click();
  await expect.poll(mode).toBe('auto_approve');
  await mine.close();
  await hers.close();
});

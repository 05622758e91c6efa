// Listens for shortcuts wherever no text is written, and shows the list of them.
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { Dialog } from '../parts/dialog.tsx';
import { nothingPressed, press, shortcuts } from './shortcuts.ts';

export function Keyboard() {
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);
  const pressed = useRef(nothingPressed);
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.altKey || event.ctrlKey || event.metaKey || isBusyElsewhere(event.target)) return;
      const next = press(pressed.current, event.key, event.timeStamp);
      pressed.current = next.pressed;
      if (next.shortcut === null) return;
      event.preventDefault();
      const { to, keys } = next.shortcut;
      if (to !== undefined) void navigate({ to });
      else if (keys[0] === '?') setHelp(true);
      else focusFilter();
    }
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [navigate]);
  return help ? <KeysDialog onClose={() => setHelp(false)} /> : null;
}

/** While text is written or a dialog is open, keys mean what they say. */
function isBusyElsewhere(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const writes = target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable="true"]');
  return writes !== null || document.querySelector('[role="dialog"], [role="menu"]') !== null;
}

function focusFilter(): void {
  const filter = document.querySelector<HTMLInputElement>('input[data-filter]');
  filter?.focus();
  filter?.select();
}

const inTables: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['↑', '↓'], 'Move between rows'],
  [['Home', 'End'], 'First and last row'],
  [['←', '→'], 'Move between cells'],
  [['Enter'], 'Open the row, explain the cell'],
  [['Esc'], 'Close the open dialog or sheet'],
];

function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      {/* Nothing in it can be pressed, and on a small screen it scrolls: the keyboard has to get there. */}
      <div className="columns" role="group" aria-label="Keys" tabIndex={0}>
        <KeyList title="Anywhere" keys={shortcuts.map(({ keys, what }) => [keys, what] as const)} />
        <KeyList title="In tables" keys={inTables} />
      </div>
    </Dialog>
  );
}

function KeyList({ title, keys }: { readonly title: string; readonly keys: typeof inTables }) {
  return (
    <section className="section">
      <h3>{title}</h3>
      <dl className="facts">
        {keys.map(([sequence, what]) => (
          <div key={what} style={{ display: 'contents' }}>
            <dt>
              {sequence.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

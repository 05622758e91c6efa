// Text to be taken elsewhere, with a button that puts it on the clipboard.
import { useEffect, useRef, useState } from 'react';
import { Button, IconButton } from './button.tsx';

type Copied = 'no' | 'yes' | 'refused';
const shownMs = 2_000;

function useCopy(text: string): { readonly state: Copied; readonly copy: () => void } {
  const [state, setState] = useState<Copied>('no');
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  async function copy(): Promise<void> {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setState(done ? 'yes' : 'refused');
    clearTimeout(timer.current ?? undefined);
    timer.current = setTimeout(() => setState('no'), shownMs);
  }
  return { state, copy: () => void copy() };
}

const words: Readonly<Record<Copied, string>> = {
  no: '',
  yes: 'Copied',
  refused: 'Copy failed: select the text instead',
};

/** A short value with a small button: an address, a key, an identifier. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  const { state, copy } = useCopy(text);
  return (
    <span className="copy">
      <code>{text}</code>
      <IconButton
        icon={state === 'yes' ? 'check' : 'copy'}
        label={`Copy ${label}`}
        size="small"
        onClick={copy}
      />
      <span className="sr-only" role="status">
        {words[state]}
      </span>
    </span>
  );
}

/** A command or a secret that is shown once. */
export function CopyBlock({ text, label }: { readonly text: string; readonly label: string }) {
  const { state, copy } = useCopy(text);
  return (
    <div className="command">
      <code data-secret="">{text}</code>
      <Button
        icon={state === 'yes' ? 'check' : 'copy'}
        size="small"
        onClick={copy}
        aria-label={`Copy ${label}`}
      >
        {state === 'yes' ? 'Copied' : 'Copy'}
      </Button>
      <span className="sr-only" role="status">
        {words[state]}
      </span>
    </div>
  );
}

/** Text of several lines, as it is. */
export function CopyText({ text, label }: { readonly text: string; readonly label: string }) {
  const { state, copy } = useCopy(text);
  return (
    <div className="command">
      <pre className="text-block">
        <code>{text}</code>
      </pre>
      <IconButton
        icon={state === 'yes' ? 'check' : 'copy'}
        label={`Copy ${label}`}
        size="small"
        onClick={copy}
      />
      <span className="sr-only" role="status">
        {words[state]}
      </span>
    </div>
  );
}

// A button for whoever may press it, and what it opens until that is closed.
import { type ReactNode, useState } from 'react';
import type { ChangeAction } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import type { IconName } from '../parts/icon.tsx';
import { useMay } from './permissions.ts';

export interface OpenerOptions {
  /** On the button: "New rule". */
  readonly text: string;
  readonly icon?: IconName;
  /** The dialog. */
  readonly opens: (close: () => void) => ReactNode;
}

export interface Opener {
  /** null: one may not. */
  readonly button: ReactNode;
  readonly opened: ReactNode;
}

export function useOpener(action: ChangeAction, { text, icon = 'join', opens }: OpenerOptions): Opener {
  const may = useMay(action);
  const [open, setOpen] = useState(false);
  return {
    button: may ? (
      <Button variant="primary" icon={icon} onClick={() => setOpen(true)}>
        {text}
      </Button>
    ) : null,
    opened: open ? opens(() => setOpen(false)) : null,
  };
}

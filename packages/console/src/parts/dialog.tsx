// What opens over a page: a dialog in the middle, or a sheet at the side for one row of a table.
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useState } from 'react';
import { IconButton } from './button.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, wide, children }: DialogProps) {
  return (
    <Overlay title={title} onClose={onClose} className="dialog" wide={wide}>
      {children}
    </Overlay>
  );
}

export function Sheet({ title, onClose, children }: Omit<DialogProps, 'wide'>) {
  return (
    <Overlay title={title} onClose={onClose} className="sheet" wide={false}>
      {children}
    </Overlay>
  );
}

interface OverlayProps extends Omit<DialogProps, 'wide'> {
  readonly className: string;
  readonly wide: boolean | undefined;
}

function Overlay({ title, onClose, className, wide, children }: OverlayProps) {
  // Whoever opened it is not a part of it here, so where the keyboard was has to be remembered.
  const [before] = useState(() => document.activeElement);
  function goBack(event: Event): void {
    event.preventDefault();
    const main = document.getElementById('main');
    const place = before instanceof HTMLElement && before.isConnected ? before : main;
    place?.focus({ preventScroll: true });
  }
  return (
    <Radix.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Radix.Portal>
        <Radix.Overlay className="veil" />
        <Radix.Content
          className={className}
          data-wide={wide === true ? '' : undefined}
          aria-describedby={undefined}
          onCloseAutoFocus={goBack}
        >
          <div className="dialog-head">
            <Radix.Title asChild>
              <h2 className="grow">{title}</h2>
            </Radix.Title>
            <Radix.Close asChild>
              <IconButton icon="close" label="Close" />
            </Radix.Close>
          </div>
          <div className="dialog-body">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

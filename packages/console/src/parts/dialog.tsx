// What opens over a page: a dialog in the middle, or a sheet at the side for one row of a table.
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useState } from 'react';
import { IconButton } from './button.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  /** It holds what is shown once: only its buttons close it, not Escape and not a press beside it. */
  readonly firm?: boolean;
  readonly children: ReactNode;
}

export function Dialog(props: DialogProps) {
  return <Overlay {...props} className="dialog" />;
}

export function Sheet(props: Omit<DialogProps, 'wide' | 'firm'>) {
  return <Overlay {...props} className="sheet" />;
}

interface OverlayProps extends DialogProps {
  readonly className: string;
}

function Overlay({ title, onClose, className, wide, firm, children }: OverlayProps) {
  // Whoever opened it is not a part of it here, so where the keyboard was has to be remembered.
  const [before] = useState(() => document.activeElement);
  function goBack(event: Event): void {
    event.preventDefault();
    const main = document.getElementById('main');
    const place = before instanceof HTMLElement && before.isConnected ? before : main;
    place?.focus({ preventScroll: true });
  }
  const stay = firm === true ? (event: Event) => event.preventDefault() : undefined;
  return (
    <Radix.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Radix.Portal>
        <Radix.Overlay className="veil" />
        <Radix.Content
          className={className}
          data-wide={wide === true ? '' : undefined}
          aria-describedby={undefined}
          onCloseAutoFocus={goBack}
          onEscapeKeyDown={stay}
          onInteractOutside={stay}
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

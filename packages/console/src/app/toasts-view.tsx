// Shows short messages in the corner, and reads them out.
import { Link } from '@tanstack/react-router';
import { Toast as Radix } from 'radix-ui';
import { Button, IconButton } from '../parts/button.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { useStore } from './store.ts';
import { dismiss, type Toast, toasts } from './toasts.ts';

const looks: Readonly<Record<Toast['tone'], { readonly icon: IconName; readonly tone: string }>> = {
  done: { icon: 'check', tone: 'ok' },
  wait: { icon: 'clock', tone: 'wait' },
  bad: { icon: 'alert', tone: 'bad' },
};
const shownMs = 6_000;
/** Long enough to see what a change did before it is taken back. */
const undoShownMs = 30_000;

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <Radix.Provider duration={shownMs}>
      {shown.map((toast) => (
        <Radix.Root
          key={toast.id}
          className="toast"
          data-tone={looks[toast.tone].tone}
          duration={toast.undo === undefined ? shownMs : undoShownMs}
          onOpenChange={(open) => (open ? undefined : dismiss(toast.id))}
        >
          <Icon name={looks[toast.tone].icon} />
          <div className="grow">
            <Radix.Description>{toast.text}</Radix.Description>
            {toast.link === undefined ? null : (
              <Link to="/approvals/$approvalId" params={{ approvalId: toast.link.approvalId }}>
                {toast.link.label}
              </Link>
            )}
          </div>
          {toast.undo === undefined ? null : (
            <Radix.Action asChild altText={`Undo: ${toast.text}`}>
              <Button size="small" onClick={toast.undo}>
                Undo
              </Button>
            </Radix.Action>
          )}
          <Radix.Close asChild>
            <IconButton icon="close" label="Dismiss" size="small" />
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="toasts" />
    </Radix.Provider>
  );
}

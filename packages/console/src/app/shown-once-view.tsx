// The dialog for what is shown this once. It stays until somebody says that they have it.
import { Button } from '../parts/button.tsx';
import { CopyBlock } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Note } from '../parts/states.tsx';
import { shownOnce } from './shown-once.ts';
import { useStore } from './store.ts';

export function ShownOnce() {
  const secrets = useStore(shownOnce);
  if (secrets.length === 0) return null;
  const close = () => shownOnce.set([]);
  return (
    <Dialog title="It is done" onClose={close} firm>
      <Note tone="wait" icon="key" title="Shown this once">
        What was made has a secret, which is kept nowhere. Give it to whoever asked, by a way that nobody else
        sees.
      </Note>
      {secrets.map(({ label, text }) => (
        <CopyBlock key={label} text={text} label={label} />
      ))}
      <div className="form-foot">
        <Button variant="primary" onClick={close}>
          I have it
        </Button>
      </div>
    </Dialog>
  );
}

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
    <Dialog title="Done" onClose={close} firm>
      <Note tone="wait" icon="key" title="Shown only once">
        This secret is not stored and cannot be shown again. Anyone who has it can use it.
      </Note>
      {secrets.map(({ label, text }) => (
        <CopyBlock key={label} text={text} label={label} />
      ))}
      <div className="form-foot">
        <Button variant="primary" onClick={close}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}

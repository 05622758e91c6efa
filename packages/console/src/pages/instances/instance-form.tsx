// The form of a machine: what it is called and tagged on the platform.
import type { Output } from '../../api/client.ts';
import { ChangeForm } from '../../app/change-form.tsx';
import { useFieldValues } from '../../app/object-form.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TagsField, TextField } from '../../parts/form.tsx';

type Instance = Output<'getInstance'>['instance'];

export function EditInstance({
  instance,
  onClose,
}: {
  readonly instance: Instance;
  readonly onClose: () => void;
}) {
  const { values, set } = useFieldValues(() => ({
    hostname: instance.hostname,
    tags: [...instance.tags] as readonly string[],
  }));
  return (
    <Dialog title={`Edit ${instance.hostname}`} onClose={onClose}>
      <ChangeForm
        action="updateInstance"
        verb="Save"
        parameters={{
          instance_id: instance.id,
          ...values,
          tags: [...values.tags],
          if_revision: instance.revision,
        }}
        onCancel={onClose}
        onDone={onClose}
      >
        {(errorOf) => (
          <>
            <TextField
              label="Name"
              autoFocus
              hint="On the platform. The machine itself keeps the name that it has."
              value={values.hostname}
              onChange={(hostname) => set({ hostname })}
              error={errorOf('hostname')}
            />
            <TagsField
              label="Tags"
              optional
              tags={values.tags}
              onChange={(tags) => set({ tags })}
              error={errorOf('tags')}
            />
          </>
        )}
      </ChangeForm>
    </Dialog>
  );
}

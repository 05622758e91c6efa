// The form of a machine: what it is called and tagged on the platform.
import type { Output } from '../../api/client.ts';
import { EditForm } from '../../app/edit-form.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TagsField, TextField } from '../../parts/form.tsx';

type Instance = Output<'getInstance'>['instance'];

const valuesOf = ({ hostname, tags }: Instance): Pick<Instance, 'hostname' | 'tags'> => ({ hostname, tags });

export function EditInstance({
  instance,
  onClose,
}: {
  readonly instance: Instance;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title={`Edit ${instance.hostname}`} onClose={onClose}>
      <EditForm
        action="updateInstance"
        object={instance}
        named={{ instance_id: instance.id }}
        valuesOf={valuesOf}
        parametersOf={(values) => values}
        onCancel={onClose}
        onDone={onClose}
      >
        {({ values, set, errorOf }) => (
          <>
            <TextField
              label="Name"
              autoFocus
              hint="The name on the platform. The system hostname does not change."
              value={values.hostname}
              onChange={(hostname) => set({ hostname })}
              error={errorOf('hostname')}
            />
            <TagsField
              label="Tags"
              optional
              tags={values.tags}
              onChange={(tags) => set({ tags: [...tags] })}
              error={errorOf('tags')}
            />
          </>
        )}
      </EditForm>
    </Dialog>
  );
}

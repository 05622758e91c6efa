// Asks for what a join token needs: nothing, really; a name, tags and a lifetime if one wants.
import { type FormEvent, useState } from 'react';
import { useChange } from '../../app/use-change.ts';
import { Button } from '../../parts/button.tsx';
import { SelectField, TagsField, TextField } from '../../parts/form.tsx';
import { ProblemNote } from '../../parts/states.tsx';
import { withoutBlanks } from '../form-values.ts';
import type { FreshToken } from './join-page.tsx';

const lifetimes = [
  { value: '900', text: '15 minutes' },
  { value: '3600', text: '1 hour' },
  { value: '86400', text: '1 day' },
  { value: '604800', text: '1 week' },
] as const;

export function JoinForm({ onMade }: { readonly onMade: (token: FreshToken) => void }) {
  const change = useChange('createJoinToken');
  const [name, setName] = useState('');
  const [tags, setTags] = useState<readonly string[]>([]);
  const [lifetime, setLifetime] = useState<(typeof lifetimes)[number]['value']>('3600');

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const answer = await change.run({
      ...withoutBlanks({ name_hint: name }),
      expires_in_seconds: Number(lifetime),
      ...(tags.length === 0 ? {} : { tags: [...tags] }),
    });
    if (answer?.kind === 'done') onMade(answer.body.join_token);
  }

  return (
    <form
      className="panel form"
      onSubmit={(event) => void submit(event)}
      noValidate
      aria-label="New join token"
    >
      <div className="form-columns">
        <TextField
          label="Name of the machine"
          optional
          hint="Without one it keeps its hostname."
          value={name}
          onChange={setName}
          error={change.fieldError('name_hint')}
        />
        <TagsField label="Tags" optional tags={tags} onChange={setTags} error={change.fieldError('tags')} />
        <SelectField
          label="Valid for"
          value={lifetime}
          onChange={setLifetime}
          choices={lifetimes}
          error={change.fieldError('expires_in_seconds')}
        />
      </div>
      <ProblemNote problem={change.problem} />
      <div>
        <Button type="submit" variant="primary" icon="join" busy={change.busy}>
          Make the command
        </Button>
      </div>
    </form>
  );
}

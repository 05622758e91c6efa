// Asks for what a join token needs: nothing, really; a name, tags and a lifetime if one wants. A machine with a name
// can stand in the fleet before it joins, so that others see it coming and scripts know its id.
import { type FormEvent, useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { useChange } from '../../app/use-change.ts';
import { Button } from '../../parts/button.tsx';
import { Check, SelectField, TagsField, TextField } from '../../parts/form.tsx';
import { ProblemNote } from '../../parts/states.tsx';
import { withoutBlanks } from '../form-values.ts';
import type { FreshToken } from './fresh-token.ts';
import { OfferFields, useOffers } from './offers.tsx';

const lifetimes = [
  { value: '900', text: '15 minutes' },
  { value: '3600', text: '1 hour' },
  { value: '86400', text: '1 day' },
  { value: '604800', text: '1 week' },
] as const;

// oxlint-disable-next-line max-lines-per-function -- one field after the other, and what they ask
export function JoinForm({ onMade }: { readonly onMade: (token: FreshToken) => void }) {
  const mayMakeTokens = useMay('createJoinToken');
  const mayList = useMay('createInstance');
  const token = useChange('createJoinToken');
  const machine = useChange('createInstance');
  const [name, setName] = useState('');
  const [tags, setTags] = useState<readonly string[]>([]);
  const [lifetime, setLifetime] = useState<(typeof lifetimes)[number]['value']>('3600');
  const [wantsListed, setListed] = useState(false);
  const isListed = mayList && (wantsListed || !mayMakeTokens);
  const offers = useOffers(isListed);
  const change = isListed ? machine : token;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const common = {
      expires_in_seconds: Number(lifetime),
      ...(tags.length === 0 ? {} : { tags: [...tags] }),
    };
    const answer = isListed
      ? await machine.run({ ...offers.chosen, hostname: name, ...common })
      : await token.run({ ...withoutBlanks({ name_hint: name }), ...common });
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
          label="Instance name"
          optional={!isListed}
          hint={isListed ? 'Its name in the fleet.' : 'Default: its hostname.'}
          value={name}
          onChange={setName}
          error={change.fieldError(isListed ? 'hostname' : 'name_hint')}
        />
        <TagsField label="Tags" optional tags={tags} onChange={setTags} error={change.fieldError('tags')} />
        <SelectField
          label="Valid for"
          value={lifetime}
          onChange={setLifetime}
          choices={lifetimes}
          error={change.fieldError('expires_in_seconds')}
        />
        {isListed ? <OfferFields offers={offers} errorOf={change.fieldError} /> : null}
      </div>
      {mayList && mayMakeTokens ? (
        <Check
          label="Create the instance now"
          hint="It is pending until it joins. The command works for this instance only."
          checked={isListed}
          onChange={setListed}
        />
      ) : null}
      <ProblemNote problem={change.problem} />
      <div>
        <Button
          type="submit"
          variant="primary"
          icon="join"
          busy={change.busy}
          disabled={isListed && !offers.isComplete}
        >
          Create command
        </Button>
      </div>
    </form>
  );
}

// Joining a machine: a token, the command to run there, the moment when it appears; and all tokens there are.
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { useMay } from '../../app/permissions.ts';
import { Page, Section } from '../../parts/page.tsx';
import { Note } from '../../parts/states.tsx';
import { JoinForm } from './join-form.tsx';
import { JoinTokens } from './join-tokens.tsx';
import { Waiting } from './waiting.tsx';

export type FreshToken = Output<'createJoinToken'>['join_token'];

export function JoinPage() {
  const may = useMay('createJoinToken');
  const [fresh, setFresh] = useState<FreshToken | null>(null);
  return (
    <Page
      title="Join a machine"
      intro="One command on the machine brings it into the fleet. It makes its own keys; nothing secret of it ever leaves it."
    >
      {may ? null : (
        <Note tone="wait" icon="lock">
          Making join tokens needs the permission <code>system.join_tokens.manage</code>, which your token
          does not have.
        </Note>
      )}
      {may && fresh === null ? <JoinForm onMade={setFresh} /> : null}
      {fresh === null ? null : <Waiting key={fresh.id} token={fresh} onAnother={() => setFresh(null)} />}
      <Section title="Join tokens">
        <JoinTokens />
      </Section>
    </Page>
  );
}

// Joining a machine: a token, the command to run there, the moment when it appears; and all tokens there are.
import { useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { Page, Section } from '../../parts/page.tsx';
import { Note } from '../../parts/states.tsx';
import type { FreshToken } from './fresh-token.ts';
import { JoinForm } from './join-form.tsx';
import { JoinTokens } from './join-tokens.tsx';
import { Waiting } from './waiting.tsx';

export function JoinPage() {
  const mayMakeTokens = useMay('createJoinToken');
  const mayList = useMay('createInstance');
  const may = mayMakeTokens || mayList;
  const [fresh, setFresh] = useState<FreshToken | null>(null);
  return (
    <Page
      title="Add an instance"
      intro="One command installs the agent and joins the fleet. Private keys are generated on the instance and never leave it."
    >
      {may ? null : (
        <Note tone="wait" icon="lock">
          Adding an instance requires the permission <code>system.join_tokens.manage</code> or{' '}
          <code>system.instances.manage</code>; your token has neither.
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

// What a route policy would do, before it is saved: the routes that would change, and the text of the routing daemon.
import type { RouteChangeShown } from '@powernode/core/intent/bgp';
import { useState } from 'react';
import { Button } from '../../../parts/button.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { count } from '../../../parts/format.ts';
import { PickField } from '../../../parts/pick-field.tsx';
import { Note, ProblemNote } from '../../../parts/states.tsx';
import type { NameOf, usePeerNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import { differingWords } from './attribute-words.ts';
import { StatementFinding } from './statement-finding.tsx';
import type { Preview } from './use-preview.ts';

export interface PolicyPreviewProps extends ViewProps {
  readonly preview: Preview;
  readonly peers: ReturnType<typeof usePeerNames>;
}

export function PolicyPreview({ preview, peers, network }: PolicyPreviewProps) {
  const [chosen, setChosen] = useState('');
  const at = chosen === '' ? (peers.choices[0]?.value ?? '') : chosen;
  const { answer, busy, problem, ask } = preview;
  return (
    <section className="section" aria-label="Preview">
      <h3>Preview</h3>
      {at === '' ? (
        <p className="muted">A network without peers has no routes that a policy could change.</p>
      ) : (
        <div className="form-columns">
          <PickField
            label="At peer"
            hint="Its routes are told first."
            value={at}
            onChange={setChosen}
            choices={peers.choices}
          />
          <div className="row">
            <Button icon="help" busy={busy} onClick={() => ask(at)}>
              Preview
            </Button>
          </div>
        </div>
      )}
      <ProblemNote problem={problem} />
      <div role="status">
        {answer === null ? null : <Answer {...{ answer, network, preview }} nameOf={peers.nameOf} />}
      </div>
    </section>
  );
}

interface AnswerProps extends ViewProps {
  readonly answer: NonNullable<Preview['answer']>;
  readonly preview: Preview;
  readonly nameOf: NameOf;
}

function Answer({ answer, preview, network, nameOf }: AnswerProps) {
  const { effect, effect_complete: isComplete, findings, text } = answer;
  // Those about its own statements stand beside them.
  const others = findings.filter(({ object }) => object.id !== preview.id);
  return (
    <div className="stack">
      {network.routing_mode === 'static' ? (
        <Note tone="info" icon="alert">
          With static routing no policy has an effect. It acts once the routing mode is iBGP.
        </Note>
      ) : (
        <Effect effect={effect} isComplete={isComplete} nameOf={nameOf} />
      )}
      {others.length === 0 ? null : (
        <ul className="lines" aria-label="Other policies">
          {others.map((finding) => (
            <li key={`${finding.object.id} ${finding.object.seq}`} className="line-item">
              <span className="grow">
                Statement {finding.object.seq} of {finding.object.name}
              </span>
              <StatementFinding finding={finding} />
            </li>
          ))}
        </ul>
      )}
      <h4>Compiled text</h4>
      {text === '' ? (
        <p className="muted">Nothing: no statement changes anything.</p>
      ) : (
        <CopyText text={text} label="the compiled text" />
      )}
    </div>
  );
}

interface EffectProps {
  readonly effect: readonly RouteChangeShown[];
  readonly isComplete: boolean;
  readonly nameOf: NameOf;
}

function Effect({ effect, isComplete, nameOf }: EffectProps) {
  return (
    <>
      <h4>Routes that would change</h4>
      {effect.length === 0 ? (
        <p>{isComplete ? 'None, by what is announced and reachable now.' : 'None of those looked at.'}</p>
      ) : (
        <ul className="lines" aria-label="Routes that would change">
          {effect.map((change) => (
            <ChangeLine key={keyOf(change)} change={change} nameOf={nameOf} />
          ))}
        </ul>
      )}
      {isComplete ? null : (
        <p className="hint">The network is large: the routes of some peers were not looked at.</p>
      )}
    </>
  );
}

function keyOf({ prefix, peer_id, before, after }: RouteChangeShown): string {
  return `${prefix} ${peer_id} ${JSON.stringify([before, after])}`;
}

interface ChangeLineProps {
  readonly change: RouteChangeShown;
  readonly nameOf: NameOf;
}

function ChangeLine({ change, nameOf }: ChangeLineProps) {
  const { prefix, peer_id: peerId, peers_count: peers, before, after } = change;
  const via = ({ via_peer_id: id }: RouteChangeShown['before']) =>
    id === null ? 'no path' : `via ${nameOf(id)}`;
  const isSameWay = before.via_peer_id === after.via_peer_id;
  const differing =
    before.attributes === null || after.attributes === null
      ? ''
      : differingWords(before.attributes, after.attributes);
  const denied = after.denied_peer_ids.filter((id) => !before.denied_peer_ids.includes(id));
  const permitted = before.denied_peer_ids.filter((id) => !after.denied_peer_ids.includes(id));
  const names = (ids: readonly string[]) => ids.map((id) => nameOf(id)).join(', ');
  return (
    <li className="line-item">
      <code>{prefix}</code>
      <span className="grow">
        {isSameWay ? (
          via(after)
        ) : (
          <>
            <del>{via(before)}</del> → <ins>{via(after)}</ins>
          </>
        )}
      </span>
      <span className="muted">
        at {nameOf(peerId)}
        {peers === 1 ? '' : ` and ${count(peers - 1, 'other peer')}`}
      </span>
      {differing === '' ? null : <span className="line-more">{differing}</span>}
      {denied.length === 0 ? null : <span className="line-more">denied: the path of {names(denied)}</span>}
      {permitted.length === 0 ? null : (
        <span className="line-more">no longer denied: the path of {names(permitted)}</span>
      )}
    </li>
  );
}

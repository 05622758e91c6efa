// One route, explained at a peer: its paths, what policies did to each, and why the best one is best.
import type { ExplainedPathShown } from '@powernode/core/intent/bgp';
import { useMay } from '../../../app/permissions.ts';
import { useOne } from '../../../app/use-one.ts';
import { useRows } from '../../../app/use-rows.ts';
import { Copyable } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Facts } from '../../../parts/facts.tsx';
import { Section } from '../../../parts/page.tsx';
import { peerStateOf } from '../../../parts/peer-state.ts';
import { PickField } from '../../../parts/pick-field.tsx';
import { Empty, Loaded } from '../../../parts/states.tsx';
import { Status, type StatusProps } from '../../../parts/status.tsx';
import { peerLooks } from '../../../parts/statuses.tsx';
import { type NameOf, usePeerNames } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';
import type { ViewProps } from '../view.ts';
import { attributeWords } from './attribute-words.ts';
import { bestWords, type RouteRow, sourceWords } from './route-rows.ts';
import type { RoutePlace } from './use-route-place.ts';

export interface RouteSheetProps extends ViewProps {
  readonly prefix: string;
  /** null: the network does not route to it. */
  readonly row: RouteRow | null;
  readonly place: RoutePlace;
}

export function RouteSheet({ prefix, row, network, place }: RouteSheetProps) {
  const peers = usePeerNames(network.id);
  const behind = new Set(row?.holders.map(({ peerId }) => peerId));
  // Whoever announces it uses its own: what others do says more.
  const usual = peers.choices.find(({ value }) => !behind.has(value)) ?? peers.choices[0];
  const at = place.at ?? usual?.value ?? '';
  return (
    <Sheet title={`Route ${prefix}`} onClose={place.close}>
      {row === null ? null : (
        <Facts
          facts={[
            ['Prefix', <Copyable key="p" text={prefix} label="the prefix" />],
            ['Source', sourceWords[row.source]],
            ['Description', row.description],
            ['Best path', bestWords(row, peers.nameOf)],
          ]}
        />
      )}
      {row === null ? null : <Holders row={row} networkId={network.id} peers={peers} />}
      <Section title="Explanation">
        <PickField
          label="At peer"
          value={at}
          onChange={(peerId) => (peerId === '' ? undefined : place.open(prefix, peerId))}
          choices={peers.choices}
          none="Choose a peer…"
        />
        {at === '' ? null : (
          <Explanation at={at} prefix={prefix} networkId={network.id} nameOf={peers.nameOf} />
        )}
      </Section>
    </Sheet>
  );
}

interface HoldersProps {
  readonly row: RouteRow;
  readonly networkId: string;
  readonly peers: ReturnType<typeof usePeerNames>;
}

function Holders({ row, networkId, peers }: HoldersProps) {
  return (
    <Section title="Behind">
      <ul className="lines">
        {row.holders.map(({ peerId, preference }) => {
          const peer = peers.rows.find(({ id }) => id === peerId);
          return (
            <li key={peerId} className="line-item">
              <span className="grow">
                <ObjectLink
                  networkId={networkId}
                  object={{ type: 'peer', id: peerId, name: peers.nameOf(peerId) }}
                />
              </span>
              {peer === undefined ? null : <Status {...peerLooks[peerStateOf(peer)]} />}
              {peerId === row.best ? <span className="tag">best path</span> : null}
              {row.nearestOf.includes(peerId) ? (
                <span className="tag">used where it is the nearest</span>
              ) : null}
              {preference === null ? null : <span className="muted">preference {preference}</span>}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

interface ExplanationProps {
  readonly at: string;
  readonly prefix: string;
  readonly networkId: string;
  readonly nameOf: NameOf;
}

function Explanation({ at, prefix, networkId, nameOf }: ExplanationProps) {
  const { data, error, refetch } = useOne('routes', 'explainRoute', { peer_id: at, prefix });
  const policyName = usePolicyNames(networkId);
  return (
    <Loaded what="the explanation" data={data} error={error} retry={() => void refetch()}>
      {({ paths }) =>
        paths.length === 0 ? (
          <Empty icon="filter" title="No paths">
            The network does not route to {prefix}: no peer announces it.
          </Empty>
        ) : (
          <ul className="lines" aria-label="Paths">
            {paths
              .toSorted((a, b) => Number(b.best) - Number(a.best))
              .map((path) => (
                <PathLine key={path.via_peer_id} {...{ path, networkId, nameOf, policyName }} />
              ))}
          </ul>
        )
      }
    </Loaded>
  );
}

interface PathLineProps {
  readonly path: ExplainedPathShown;
  readonly networkId: string;
  readonly nameOf: NameOf;
  readonly policyName: (id: string) => string;
}

function PathLine({ path, networkId, nameOf, policyName }: PathLineProps) {
  const { via_peer_id: via, attributes, because, policies } = path;
  return (
    <li className="line-item">
      <span className="grow">
        via <ObjectLink networkId={networkId} object={{ type: 'peer', id: via, name: nameOf(via) }} />
      </span>
      <Status {...lookOf(path)} />
      <span className="line-more">{because}</span>
      {attributes === null ? null : <span className="line-more">{attributeWords(attributes)}</span>}
      {policies.map(({ route_policy_id: id, seq, effect }) => (
        <span key={`${id} ${seq} ${effect}`} className="line-more">
          <ObjectLink networkId={networkId} object={{ type: 'route_policy', id, name: policyName(id) }} />{' '}
          statement {seq} {effect}
        </span>
      ))}
    </li>
  );
}

function lookOf({ best, attributes, policies }: ExplainedPathShown): StatusProps {
  if (best) return { tone: 'ok', shape: 'full', text: 'best' };
  if (attributes !== null) return { tone: 'idle', shape: 'ring', text: 'not used' };
  const isDenied = policies.some(({ effect }) => effect === 'denies');
  return isDenied
    ? { tone: 'bad', shape: 'cross', text: 'denied' }
    : { tone: 'wait', shape: 'dotted', text: 'not received' };
}

function usePolicyNames(networkId: string): (id: string) => string {
  const may = useMay('listRoutePolicies');
  const { rows } = useRows('listRoutePolicies', { network_id: networkId }, { enabled: may });
  return (id) => rows.find((policy) => policy.id === id)?.name ?? `policy …${id.slice(-12)}`;
}

// Who can reach what in a network, for one protocol and port; and why.
import { firstAddressIn } from '@powernode/core/net/prefix';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useDeferredValue, useMemo, useState } from 'react';
import { useOne } from '../../../app/use-one.ts';
import { count } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { Section } from '../../../parts/page.tsx';
import { type PairState, pairLooks } from '../../../parts/service-statuses.tsx';
import { Empty, Loaded, Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { useDeviceNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import { type End, endText, type Protocol, protocolOf, type Question, readEnd } from './ends.ts';
import { ExplainForm } from './explain-form.tsx';
import { ExplainSheet } from './explain-sheet.tsx';
import { type MatrixAnswer, type MatrixNode, shownOf } from './matrix.ts';
import { MatrixView } from './matrix-view.tsx';
import { PacketChoice } from './packet-choice.tsx';

/** Which port one asks about first, for whoever has chosen a protocol with ports. */
const firstPort = 443;

export function ReachView({ network }: ViewProps) {
  const navigate = useNavigate();
  const search = useSearch({ from: '/networks/$networkId' });
  const protocol = protocolOf(search.protocol);
  const port = protocol === 'icmp6' ? undefined : (search.port ?? firstPort);
  const go = (part: Partial<typeof search>) =>
    void navigate({
      to: '/networks/$networkId',
      params: { networkId: network.id },
      search: { ...search, ...part },
    });
  const answer = useOne('reachability', 'getReachabilityMatrix', {
    network_id: network.id,
    protocol,
    ...(port === undefined ? {} : { port }),
  });
  const matrix = answer.data?.matrix;
  const question = questionOf({ ...search, protocol, port });
  const nameOf = useEndNames(matrix, { networkId: network.id, question });
  return (
    <>
      <PacketChoice
        key={`${protocol} ${port}`}
        protocol={protocol}
        port={port}
        onChoose={(next) => {
          const { port: _, ...rest } = search;
          void navigate({
            to: '/networks/$networkId',
            params: { networkId: network.id },
            search: { ...rest, ...next },
          });
        }}
      />
      <Loaded what="the matrix" data={matrix} error={answer.error} retry={() => void answer.refetch()}>
        {(found) => (
          <Matrix
            matrix={found}
            question={question}
            onExplain={(from, to) => go({ from: endText(endOf(from)), to: endText(endOf(to)) })}
          />
        )}
      </Loaded>
      <Section title="Explain a path">
        <ExplainForm networkId={network.id} />
      </Section>
      {question === null ? null : <ExplainSheet question={question} nameOf={nameOf} />}
    </>
  );
}

/** A prefix behind peers stands for its first address, as in the matrix. */
function endOf({ kind, id, name }: MatrixNode): End {
  return kind === 'subnet_advertisement'
    ? { kind: 'address', value: firstAddressIn(name) }
    : { kind, value: id };
}

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly protocol: Protocol;
  readonly port: number | undefined;
}

function questionOf({ from, to, protocol, port }: Asked): Question | null {
  const [source, destination] = [readEnd(from), readEnd(to)];
  if (source === null || destination === null) return null;
  return { from: source, to: destination, protocol, ...(port === undefined ? {} : { port }) };
}

interface Named {
  readonly networkId: string;
  readonly question: Question | null;
}

/** What the matrix has has its name there; it may have been cut off, or a device shut out since. */
function useEndNames(matrix: MatrixAnswer | undefined, { networkId, question }: Named): (end: End) => string {
  const named = (end: End) => matrix?.nodes.find((node) => node.id === end.value)?.name;
  const ends = question === null ? [] : [question.from, question.to];
  const isOther = (end: End) => end.kind === 'user_device' && named(end) === undefined;
  const devices = useDeviceNames(networkId, matrix !== undefined && ends.some(isOther));
  return (end) => named(end) ?? (end.kind === 'user_device' ? devices.nameOf(end.value) : end.value);
}

interface MatrixProps {
  readonly matrix: MatrixAnswer;
  readonly question: Question | null;
  readonly onExplain: (from: MatrixNode, to: MatrixNode) => void;
}

/** From so many on, one wants to see only some of them. */
const filterFrom = 6;

function Matrix({ matrix, question, onExplain }: MatrixProps) {
  const [filter, setFilter] = useState('');
  const asked = useDeferredValue(filter);
  const shown = useMemo(() => shownOf(matrix, asked), [matrix, asked]);
  if (matrix.rows.length === 0) {
    return (
      <Empty icon="networks" title="Nothing to check yet">
        Once the network has two peers, this shows which of them reach each other.
      </Empty>
    );
  }
  return (
    <>
      <div className="table-tools" role="search" aria-label="matrix">
        {matrix.nodes.length < filterFrom ? null : (
          <div className="filter">
            <Icon name="filter" />
            <input
              className="input"
              type="text"
              data-filter=""
              aria-label="Filter both sides"
              placeholder="Filter both sides"
              autoComplete="off"
              spellCheck={false}
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Escape') setFilter('');
              }}
            />
            <kbd aria-hidden="true">/</kbd>
          </div>
        )}
        <span className="row" role="status">
          {(Object.keys(pairLooks) as PairState[]).map((state) => (
            <Status
              key={state}
              {...pairLooks[state]}
              text={`${shown.counts[state].toLocaleString('en-US')} ${pairLooks[state].text}`}
            />
          ))}
        </span>
      </div>
      {matrix.truncated ? (
        <Note tone="info" icon="networks">
          The network is too large for a matrix: {count(matrix.nodes.length, 'member')} are shown. Use the
          form below for any other pair.
        </Note>
      ) : null}
      {shown.rows.length === 0 ? (
        <Empty icon="filter" title="Nothing matches the filter">
          There are {matrix.nodes.length.toLocaleString('en-US')} without it.
        </Empty>
      ) : (
        <MatrixView
          columns={shown.columns}
          rows={shown.rows}
          chosen={question === null ? null : { from: question.from.value, to: question.to.value }}
          onExplain={onExplain}
        />
      )}
    </>
  );
}

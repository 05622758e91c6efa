// Names with values: the plain form of one object, and the same as tiles for what one looks at first.
import type { ReactNode } from 'react';

export type Fact = readonly [name: string, value: ReactNode];

export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <FactPair key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function FactPair({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {value === null || value === undefined || value === '' ? <span className="muted">—</span> : value}
      </dd>
    </>
  );
}

export interface TileFact {
  readonly name: string;
  readonly value: ReactNode;
  readonly more?: ReactNode;
}

export function Tiles({ tiles }: { readonly tiles: readonly TileFact[] }) {
  return (
    <dl className="tiles">
      {tiles.map(({ name, value, more }) => (
        <div className="tile" key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {more === undefined ? null : <small>{more}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

// Who is signed in, where, and what they may do.

import { useMay } from '../../app/permissions.ts';
import { useStore } from '../../app/store.ts';
import { chooseTheme, type Theme, theme } from '../../app/theme.ts';
import { useWhoami } from '../../app/use-one.ts';
import { Copyable } from '../../parts/copy.tsx';
import { Facts } from '../../parts/facts.tsx';
import { SelectField } from '../../parts/form.tsx';
import { Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { AsNumber, useAccountBgp } from './as-number.tsx';

const themeChoices: readonly { readonly value: Theme; readonly text: string }[] = [
  { value: 'system', text: 'System' },
  { value: 'light', text: 'Light' },
  { value: 'dark', text: 'Dark' },
];

export function You() {
  const { data, error } = useWhoami();
  const chosen = useStore(theme);
  return (
    <div className="columns">
      <Section title="Signed in as">
        <Loaded what="your account" data={data} error={error}>
          {({ operator, account }) => (
            <div className="panel">
              <Facts
                facts={[
                  ['Operator', operator.name],
                  ['Role', operator.role],
                  ['Account', account.name],
                  ['Address pool', <Copyable key="p" text={account.pool_prefix} label="the pool" />],
                  ['Platform administrator', operator.platform_admin ? 'yes' : 'no'],
                ]}
              />
            </div>
          )}
        </Loaded>
        <SelectField label="Theme" value={chosen} choices={themeChoices} onChange={chooseTheme} />
      </Section>
      <Bgp />
      <Section title="Permissions">
        <Loaded what="your permissions" data={data} error={error}>
          {({ permissions }) => (
            <ul className="tags">
              {permissions.map((permission) => (
                <li className="tag" key={permission}>
                  {permission}
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </Section>
    </div>
  );
}

/** What all networks of the account with iBGP have in common. */
function Bgp() {
  const may = useMay('getAccountBgp');
  const found = useAccountBgp();
  if (!may || found === undefined) return null;
  return (
    <Section title="BGP">
      <div className="panel">
        <Facts
          facts={[
            [
              'AS number',
              <span key="a" className="row">
                <AsNumber />
              </span>,
            ],
            ['Router ID', 'low 32 bits of the overlay address of a peer'],
            ['Default local preference', String(found.default_local_pref)],
          ]}
        />
      </div>
    </Section>
  );
}

// What a machine that is listed before it joins is made of. Asked only where providers leave a choice.
import { useState } from 'react';
import { useRows } from '../../app/use-rows.ts';
import { SelectField } from '../../parts/form.tsx';
import { Absent } from '../../parts/states.tsx';

const labels = {
  template_id: 'Template',
  provider_region_id: 'Region',
  provider_instance_type_id: 'Type',
} as const;
type Parameter = keyof typeof labels;
const parameters = Object.keys(labels) as readonly Parameter[];

export function useOffers(enabled: boolean) {
  const lists = {
    template_id: useRows('listTemplates', {}, { enabled }),
    provider_region_id: useRows('listProviderRegions', {}, { enabled }),
    provider_instance_type_id: useRows('listInstanceTypes', {}, { enabled }),
  };
  const [picked, setPicked] = useState<Partial<Record<Parameter, string>>>({});
  const idOf = (parameter: Parameter) => picked[parameter] ?? lists[parameter].rows[0]?.id ?? '';
  return {
    lists,
    isComplete: parameters.every((parameter) => lists[parameter].complete),
    /** The first of each list until another is picked. */
    chosen: {
      template_id: idOf('template_id'),
      provider_region_id: idOf('provider_region_id'),
      provider_instance_type_id: idOf('provider_instance_type_id'),
    },
    pick: (parameter: Parameter, id: string) => setPicked((now) => ({ ...now, [parameter]: id })),
  };
}

export interface OfferFieldsProps {
  readonly offers: ReturnType<typeof useOffers>;
  readonly errorOf: (path: string) => string | null;
}

export function OfferFields({ offers, errorOf }: OfferFieldsProps) {
  const { lists, isComplete, chosen, pick } = offers;
  if (!isComplete) {
    const failed = Object.values(lists).find((list) => list.error !== null);
    const retry = () => failed?.retry();
    return <Absent what="templates, regions and types" error={failed?.error ?? null} retry={retry} />;
  }
  return parameters
    .filter((parameter) => lists[parameter].rows.length > 1)
    .map((parameter) => (
      <SelectField
        key={parameter}
        label={labels[parameter]}
        value={chosen[parameter]}
        onChange={(id) => pick(parameter, id)}
        choices={lists[parameter].rows.map(({ id, name }) => ({ value: id, text: name }))}
        error={errorOf(parameter)}
      />
    ));
}

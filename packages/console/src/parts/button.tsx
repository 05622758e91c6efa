// Buttons. One that is only an icon has a label for whoever cannot see it, which is its tooltip too.
import type { ButtonHTMLAttributes, Ref } from 'react';
import { Icon, type IconName } from './icon.tsx';

type Variant = 'default' | 'primary' | 'danger' | 'quiet';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly variant?: Variant;
  readonly size?: 'small';
  readonly icon?: IconName;
  /** The press has its effect on the way; a second one would not be heard. */
  readonly busy?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant = 'default', size, icon, busy, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className="button"
      data-variant={variant}
      data-size={size}
      disabled={disabled === true || busy === true}
      {...rest}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
      {busy === true ? '…' : null}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'icon'> {
  readonly icon: IconName;
  readonly label: string;
}

export function IconButton({ icon, label, variant = 'quiet', size, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      className="button"
      data-variant={variant}
      data-size={size}
      data-square=""
      aria-label={label}
      title={label}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}

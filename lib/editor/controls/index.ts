import type { ListField, SecretField, TableField, TextField, TypedField } from '../../spec';
import { codeControl, isCode } from './code';
import type { Control, ControlContext } from './control';
import { listControl } from './list';
import { secretControl } from './secret';
import { boolControl, durationControl, refControl, simpleControl } from './simple';
import { tableControl } from './table';
import { typedControl } from './typed';

/** The control of a field's kind. */
export function controlFor(context: ControlContext): Control {
  const { field } = context;
  switch (field.kind) {
    case 'table':
      return tableControl(context as ControlContext<TableField>);
    case 'list':
      return listControl(context as ControlContext<ListField>);
    case 'typed':
      return typedControl(context as ControlContext<TypedField>);
    case 'secret':
      return secretControl(context as ControlContext<SecretField>);
    case 'bool':
      return boolControl(context);
    case 'duration':
      return durationControl(context);
    case 'ref':
      return refControl(context);
    case 'text':
      return isCode(field) ? codeControl(context as ControlContext<TextField>) : simpleControl(context);
    default:
      return simpleControl(context);
  }
}

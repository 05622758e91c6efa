// Objects of documents: what an older receiver does not know of them is kept as it came, because the hash of a document is
// over all that was sent. The type shows the known members only.
import { z } from 'zod';

/** Objects that keep unknown members, for the test of limits: they are as large as a frame of the platform at most. */
export const openObjects = z.registry<{ readonly boundedBy: 'nodeFrameBytesMax' }>();

export function openObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> {
  return (z.looseObject(shape) as z.ZodObject<Shape>).register(openObjects, {
    boundedBy: 'nodeFrameBytesMax',
  });
}

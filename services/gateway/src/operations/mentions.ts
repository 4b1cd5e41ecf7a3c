import { AppError } from '@bluewave/errors/app-error';

/** Whom a message calls, apart from whether it calls everybody. */
export function mentionsOf(mentions: readonly string[]): { userIds: string[]; all: boolean } {
  return {
    userIds: [...new Set(mentions)].filter((mention) => mention !== 'all'),
    all: mentions.includes('all'),
  };
}

/** What a call with mentions answers; a refused one is named by its place in what the client sent. */
export async function namingMentions<T>(mentions: readonly string[], answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof AppError && error.fields ? renumbered(error, mentions) : error;
  }
}

function renumbered(error: AppError, mentions: readonly string[]): AppError {
  const { userIds } = mentionsOf(mentions);
  const fields = error.fields?.map((field) => {
    const index = /^mentions\.(\d+)$/.exec(field.path)?.[1];
    const userId = index === undefined ? undefined : userIds[Number(index)];
    return userId === undefined ? field : { ...field, path: `mentions.${mentions.indexOf(userId)}` };
  });
  return new AppError(error.code, error.detail, { ...(fields ? { fields } : {}), cause: error });
}

/** Says early, and once, that a training by reinforcement has nothing to learn from, instead of letting it run to its end. */
import type { RunDirectory } from "#record/run-directory.ts";

/** Steps that are waited for. */
const steps = 5;

export interface StepSigns {
  /** Some sampled answer got some accuracy. */
  someRight: boolean;
  /** Some group of answers was trained. */
  someTaught: boolean;
}

/** Into the run's record too. */
export function earlyWarning(run: Pick<RunDirectory, "event">, onNote: (text: string) => void): (signs: StepSigns) => void {
  const say = (message: string) => {
    run.event("note", { message });
    onNote(message);
  };
  let seen = 0;
  let [right, taught] = [false, false];
  return ({ someRight, someTaught }) => {
    seen += 1;
    right ||= someRight;
    taught ||= someTaught;
    if (seen !== steps) return;
    if (!right) {
      say(
        `No answer that was sampled in the first ${steps} steps was right, so nothing but the format can be learned. Begin with a model that gets some of these questions right: midcourse train sft --data FILE --out runs/sft, then --model runs/sft/model.`,
      );
    } else if (!taught) {
      say(
        `In the first ${steps} steps all answers to a question earned the same, so nothing was trained. Take questions that are neither always right nor always wrong, or raise temperature.`,
      );
    }
  };
}

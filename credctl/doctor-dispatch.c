/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Follows _pam_dispatch_aux() of Linux-PAM 1.5 and 1.7: a jump is neither a yes nor a no, "done" and
 * "die" end the substack they stand in, and without one yes the answer is no. */
#include "credctl/doctor-stack.h"

typedef struct Run {
        const PamStack *stack;
        size_t at;
        bool yes, no;
        PamCode status;
} Run;

/* Past what an ended substack still holds. */
static void leave_substack(Run *run)
{
        unsigned level = run->stack->lines[run->at].level;

        while (level > 0 && run->at + 1 < run->stack->n &&
               run->stack->lines[run->at + 1].level >= level)
                run->at++;
}

/* A substack counts as one line. Past the end of the (sub)stack: libpam denies. */
static void jump(Run *run, int lines)
{
        const PamStack *stack = run->stack;
        unsigned level = stack->lines[run->at].level;

        while (lines > 0 && run->at + 1 < stack->n && stack->lines[run->at + 1].level >= level) {
                do
                        run->at++;
                while (run->at + 1 < stack->n && stack->lines[run->at + 1].level > level);
                lines--;
        }
        if (lines > 0)
                run->no = true;
}

static void say_no(Run *run)
{
        run->no = true;
        run->yes = false;
}

/* A first yes may still become something less: an expired password is no success. */
static void say_yes(Run *run, PamCode code)
{
        bool open = !run->no && (!run->yes || run->status == PAM_CODE_SUCCESS);

        if (!open || code == PAM_CODE_IGNORE)
                return;
        run->yes = true;
        run->status = code;
}

/* True: the substack, or all of it, is decided. */
static bool take_answer(Run *run, PamCode code, int action)
{
        switch (action) {
        case PAM_ACTION_IGNORE:
                return false;
        case PAM_ACTION_OK:
                say_yes(run, code);
                return false;
        case PAM_ACTION_DONE:
                say_yes(run, code);
                return run->yes;
        case PAM_ACTION_BAD:
                say_no(run);
                return false;
        case PAM_ACTION_DIE:
                say_no(run);
                return true;
        case PAM_ACTION_RESET:
                run->yes = run->no = false;
                return false;
        default:
                jump(run, action);
                return false;
        }
}

bool pam_stack_lets_in(const PamStack *stack, PamAnswer answer, void *userdata)
{
        Run run = {.stack = stack};

        if (stack->missing)
                return false;
        for (; run.at < stack->n; run.at++) {
                const PamLine *line = &stack->lines[run.at];
                PamCode code;

                if (line->substack)
                        continue;
                if (line->broken) {
                        say_no(&run);
                        continue;
                }
                code = answer(userdata, line);
                if (!take_answer(&run, code, line->actions[code]))
                        continue;
                if (line->level == 0)
                        break;
                leave_substack(&run);
        }
        return run.yes && !run.no && run.status == PAM_CODE_SUCCESS;
}

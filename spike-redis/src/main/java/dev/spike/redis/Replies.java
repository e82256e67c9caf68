package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike;
import dev.spike.core.Reservation;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** Reads the replies of the scripts. */
final class Replies {

    /** The length of a reply that tells the levels alone. */
    static final int LEVELS = 12;

    private Replies() {}

    /** The levels at the start of a reply, as {@code levels.lua} describes them. */
    static Levels levels(List<?> reply) {
        Levels.Phase phase = switch (text(reply.get(0))) {
            case "absent" -> Levels.Phase.ABSENT;
            case "not_yet_open" -> Levels.Phase.NOT_YET_OPEN;
            case "open" -> Levels.Phase.OPEN;
            case "closed" -> Levels.Phase.CLOSED;
            default -> throw new IllegalStateException("unknown phase " + text(reply.get(0)));
        };
        return new Levels(
                phase,
                text(reply.get(1)),
                number(reply.get(2)),
                number(reply.get(3)),
                number(reply.get(4)),
                number(reply.get(5)),
                number(reply.get(6)),
                number(reply.get(7)),
                number(reply.get(8)),
                optionalInstant(reply.get(9)),
                optionalInstant(reply.get(10)),
                instant(reply.get(11)));
    }

    static RemoteSpike.Opening opening(String opening) {
        return switch (opening) {
            case "opened" -> RemoteSpike.Opening.OPENED;
            case "already_open" -> RemoteSpike.Opening.ALREADY_OPEN;
            case "other_rules" -> RemoteSpike.Opening.OTHER_RULES;
            default -> throw new IllegalStateException("unknown opening " + opening);
        };
    }

    static RemoteSpike.Reply reserved(List<RemoteSpike.Request> batch, List<?> reply) {
        Levels levels = levels(reply);
        if (reply.size() == LEVELS) {
            return levels.phase() == Levels.Phase.ABSENT
                    ? answered(levels, batch.size(), Outcome.NOT_OPEN)
                    : late(levels);
        }
        String codes = text(reply.get(LEVELS));
        Instant newDeadline = instant(reply.get(LEVELS + 1));
        Iterator<?> oldDeadlines = ((List<?>) reply.get(LEVELS + 2)).iterator();
        List<Answer> answers = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            Outcome outcome = Records.outcome(codes.charAt(i));
            boolean repeated = Character.isLowerCase(codes.charAt(i));
            if (repeated || outcome == Outcome.RESERVED) {
                Instant deadline = repeated ? instant(oldDeadlines.next()) : newDeadline;
                RemoteSpike.Request request = batch.get(i);
                answers.add(Answer.of(
                        new Reservation(request.id(), request.quantity(), outcome, deadline),
                        repeated));
            } else {
                answers.add(Answer.of(outcome));
            }
        }
        return new RemoteSpike.Reply(levels, answers, false);
    }

    static RemoteSpike.Reply settled(List<RemoteSpike.Settlement> batch, List<?> reply) {
        Levels levels = levels(reply);
        if (reply.size() == LEVELS) {
            return levels.phase() == Levels.Phase.ABSENT
                    ? answered(levels, batch.size(), Outcome.NOT_FOUND)
                    : late(levels);
        }
        String codes = text(reply.get(LEVELS));
        Iterator<?> found = ((List<?>) reply.get(LEVELS + 1)).iterator();
        List<Answer> answers = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            Outcome outcome = Records.outcome(codes.charAt(i));
            if (outcome == Outcome.NOT_FOUND || outcome == Outcome.LIMIT_REACHED) {
                answers.add(Answer.of(outcome));
            } else {
                int quantity = (int) number(found.next());
                Reservation settled = new Reservation(
                        batch.get(i).id(), quantity, outcome, instant(found.next()));
                answers.add(Answer.of(settled, Character.isLowerCase(codes.charAt(i))));
            }
        }
        return new RemoteSpike.Reply(levels, answers, false);
    }

    static RemoteSpike.Restored restored(List<?> reply) {
        String codes = reply.size() == LEVELS ? "" : text(reply.get(LEVELS));
        return new RemoteSpike.Restored(
                levels(reply),
                codes.chars().mapToObj(code -> restored((char) code)).toList());
    }

    private static RemoteSpike.Restored.Effect restored(char code) {
        return switch (code) {
            case 'R', 'C', 'X', 'E' -> RemoteSpike.Restored.Effect.ADDED;
            case 'c', 'x', 'e' -> RemoteSpike.Restored.Effect.SETTLED;
            case 'r' -> RemoteSpike.Restored.Effect.KNOWN;
            case 'M' -> RemoteSpike.Restored.Effect.DIFFERENT;
            case 'S' -> RemoteSpike.Restored.Effect.TOO_MANY;
            default -> throw new IllegalStateException("unknown code " + code);
        };
    }

    static RemoteSpike.Restock.Effect effect(String effect) {
        return switch (effect) {
            case "applied" -> RemoteSpike.Restock.Effect.APPLIED;
            case "repeated" -> RemoteSpike.Restock.Effect.REPEATED;
            case "other_delta" -> RemoteSpike.Restock.Effect.OTHER_DELTA;
            default -> throw new IllegalStateException("unknown effect " + effect);
        };
    }

    private static RemoteSpike.Reply late(Levels levels) {
        return new RemoteSpike.Reply(levels, List.of(), true);
    }

    private static RemoteSpike.Reply answered(Levels levels, int requests, Outcome outcome) {
        return new RemoteSpike.Reply(
                levels, Collections.nCopies(requests, Answer.of(outcome)), false);
    }

    static List<?> list(Object reply) {
        return (List<?>) reply;
    }

    static @Nullable Instant optionalInstant(Object millis) {
        return millis instanceof byte[] text && text.length == 0 ? null : instant(millis);
    }

    static Instant instant(Object millis) {
        return Instant.ofEpochMilli(number(millis));
    }

    static long number(Object reply) {
        return reply instanceof Long number ? number : Long.parseLong(text(reply));
    }

    static String text(Object reply) {
        return new String((byte[]) reply, UTF_8);
    }

    static byte[] bytes(Object value) {
        return String.valueOf(value).getBytes(UTF_8);
    }
}

"""Starts ministack, and teaches it what the template needs and it lacks. Runs in `.venv-ministack`.

Nothing in `taught` makes the template's life easier than AWS would. All names taken from ministack are
private ones; hence the exact pin.
"""

from ministack import app

from tests.deploy.taught import domains, invocations, logs, receipt_rules, resources, rights, sending

LESSONS = (resources, receipt_rules, rights, sending, domains, invocations, logs)


def main() -> None:
    """Run ministack until it is told to end."""
    for lesson in LESSONS:
        lesson.teach()
    app.main()


if __name__ == "__main__":
    main()

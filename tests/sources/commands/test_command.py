"""Specifies `devinit.sources.commands.command`: what of a command is certain enough to be changed."""

from __future__ import annotations

import pytest

from devinit.sources.commands.command import understood


class TestTheFolder:
    @pytest.mark.parametrize(
        ("command", "folder", "rest"),
        [
            ("cd backend && make run", "backend", "make run"),
            ("cd ./apps/web/ ; make run", "./apps/web", "make run"),
            ("cd apps && cd web && make", "apps/web", "make"),
            ("cd backend && a && b", "backend", "a && b"),
            ("cd backend && source venv/bin/activate && python a.py", "backend", "python a.py"),
            (". ./.venv/bin/activate; python a.py", "", "python a.py"),
        ],
    )
    def test_is_the_one_that_the_command_changes_to_first(self, command: str, folder: str, rest: str) -> None:
        assert (understood(command).folder, understood(command).text) == (folder, rest)

    @pytest.mark.parametrize(
        "command",
        [
            "cd $HOME/tool && run",
            "cd ../other && run",
            "cd /srv/app && run",
            "cd 'my app' && run",
            "cd - && run",
            "cd backend || run",
            "cd backend",
            "(cd backend && run)",
            "make && cd backend && run",
            "source ../venv/bin/activate && run",
            "source venv/bin/activate",
        ],
    )
    def test_is_left_to_the_shell_where_that_is_not_plain(self, command: str) -> None:
        assert (understood(command).folder, understood(command).text) == ("", command)

    @pytest.mark.parametrize(
        ("command", "folder", "rest"),
        [
            ("npm --prefix frontend run dev", "frontend", "npm run dev"),
            ("pnpm -C apps/web dev", "apps/web", "pnpm dev"),
            ("yarn --cwd=frontend dev", "frontend", "yarn dev"),
            ("cd apps && npm --prefix web start", "apps/web", "npm start"),
        ],
    )
    def test_may_be_an_option_of_a_package_manager(self, command: str, folder: str, rest: str) -> None:
        assert (understood(command).folder, understood(command).text) == (folder, rest)

    def test_is_no_option_of_another_program(self) -> None:
        assert understood("gunicorn -C frontend app:app").folder == ""


class TestThePort:
    @pytest.mark.parametrize(
        ("command", "text", "port"),
        [
            ("uvicorn app:app --port 8010", "uvicorn app:app --port ${PORT}", 8010),
            ("uvicorn --port=8010 app:app", "uvicorn --port=${PORT} app:app", 8010),
            (
                "uv run uvicorn app:app --port 8010 --reload",
                "uv run uvicorn app:app --port ${PORT} --reload",
                8010,
            ),
            ("env A=1 bin/rails server -p 3001", "env A=1 bin/rails server -p ${PORT}", 3001),
            ("bin/rails server -b 'ssl://0.0.0.0:3001'", "bin/rails server -b 'ssl://0.0.0.0:${PORT}'", 3001),
            ("puma -b tcp://127.0.0.1:9292", "puma -b tcp://127.0.0.1:${PORT}", 9292),
            ("bundle exec puma -p3001", "bundle exec puma -p${PORT}", 3001),
            ("gunicorn -b 0.0.0.0:9000 app.wsgi", "gunicorn -b 0.0.0.0:${PORT} app.wsgi", 9000),
            ("gunicorn --bind=:9000 app.wsgi", "gunicorn --bind=:${PORT} app.wsgi", 9000),
            ("hypercorn -b [::1]:9000 app", "hypercorn -b [::1]:${PORT} app", 9000),
            ("python manage.py runserver 0.0.0.0:8080", "python manage.py runserver 0.0.0.0:${PORT}", 8080),
            ("./manage.py runserver 8080", "./manage.py runserver ${PORT}", 8080),
            ("python3.12 -m http.server 8123", "python3.12 -m http.server ${PORT}", 8123),
            ("flask --app shop run -p 5001", "flask --app shop run -p ${PORT}", 5001),
            ("PORT=4000 node server.js", "node server.js", 4000),
            ("env DEBUG=1 PORT=4000 node server.js", "env DEBUG=1 node server.js", 4000),
            ("export PORT=4000 && node server.js", "node server.js", 4000),
            ("rm -f x; export PORT=4000; npm start", "rm -f x; npm start", 4000),
            ("rm -f a.pid && bin/rails s -p 3001", "rm -f a.pid && bin/rails s -p ${PORT}", 3001),
            ("ruby server.rb -p ${PORT:-4567}", "ruby server.rb -p ${PORT:-4567}", 4567),
            ("php artisan serve --port=8001", "php artisan serve --port=${PORT}", 8001),
            ("php -S localhost:8080 -t public", "php -S localhost:${PORT} -t public", 8080),
            ("bundle exec jekyll serve -P 4001", "bundle exec jekyll serve -P ${PORT}", 4001),
            ("python3 server.py --port 8090", "python3 server.py --port ${PORT}", 8090),
            ("python3 -m shop.server --port=8090", "python3 -m shop.server --port=${PORT}", 8090),
            ("ruby app.rb -p 4567", "ruby app.rb -p ${PORT}", 4567),
            ("tsx watch src/index.ts --port 4000", "tsx watch src/index.ts --port ${PORT}", 4000),
            ("nodemon server.js --port 4000", "nodemon server.js --port ${PORT}", 4000),
            ("./bin/api --port 9000 --verbose", "./bin/api --port ${PORT} --verbose", 9000),
            ("cross-env A=1 PORT=4000 node server.js", "env A=1 node server.js", 4000),
            ("celery -A app flower --port=5556", "celery -A app flower --port=${PORT}", 5556),
            ("streamlit run app.py --server.port 8502", "streamlit run app.py --server.port ${PORT}", 8502),
            ("npm run dev -- -p 3333", "npm run dev -- -p ${PORT}", 3333),
            ("pnpm dev --port 4000", "pnpm dev --port ${PORT}", 4000),
            ("bun run dev --port=4000", "bun run dev --port=${PORT}", 4000),
            ("cd web && yarn start --port 4000", "yarn start --port ${PORT}", 4000),
        ],
    )
    def test_that_a_line_names_can_move(self, command: str, text: str, port: int) -> None:
        found = understood(command)

        assert (found.text, found.port, found.takes_port) == (text, port, True)

    @pytest.mark.parametrize(
        ("command", "text"),
        [
            ("uvicorn app:app", "uvicorn app:app --port ${PORT}"),
            ("poetry run flask run", "poetry run flask run --port ${PORT}"),
            ("python manage.py runserver", "python manage.py runserver 127.0.0.1:${PORT}"),
            ("vite --host 0.0.0.0", "vite --host 0.0.0.0 --port ${PORT} --strictPort"),
            (".venv/bin/uvicorn app:app", ".venv/bin/uvicorn app:app --port ${PORT}"),
            ("node_modules/.bin/ng serve", "node_modules/.bin/ng serve --port ${PORT}"),
            ("npx vite", "npx vite --host 127.0.0.1 --port ${PORT} --strictPort"),
            ("pnpm vite", "pnpm vite --host 127.0.0.1 --port ${PORT} --strictPort"),
            ("yarn astro dev", "yarn astro dev --port ${PORT}"),
            ("python -m http.server", "python -m http.server ${PORT}"),
            ("bundle exec jekyll serve", "bundle exec jekyll serve --port ${PORT}"),
            ("vite client", "vite client --host 127.0.0.1 --port ${PORT} --strictPort"),
        ],
    )
    def test_is_given_to_a_server_whose_line_names_none(self, command: str, text: str) -> None:
        found = understood(command)

        assert (found.text, found.port, found.takes_port) == (text, None, True)

    @pytest.mark.parametrize(
        "command", ["bin/rails server", "gunicorn app.wsgi", "next dev", "node x.js -p $PORT"]
    )
    def test_is_read_by_programs_that_need_no_option(self, command: str) -> None:
        found = understood(command)

        assert (found.text, found.takes_port) == (command, True)

    @pytest.mark.parametrize(
        "command",
        [
            "redis-cli -p 6379",
            "ssh -p 2222 host",
            "./deploy -p 3000",
            "node stripe-mock-worker.js -p 4000",
            "npm run dev --port 4000",
            "npm run dev -- --open",
            "bundle exec jekyll",
            "ngrok http --port 3000",
            "node worker.js --port 4000",
            "celery -A app worker",
            "bin/rails runner x -p 3000",
            "python manage.py qcluster",
            "vite build --watch",
            "uvicorn app:app --port 8000 & npm start",
            "echo $PORTAL",
            "PORT=99999 node server.js",
            "python manage.py runserver --verbosity 2 8000",
            "uvicorn app:app --port $(next-port)",
            "uvicorn app:app --port $A$B",
            "bin/vite dev",
            "./script/uvicorn app:app",
            "uvicorn app:app --port 99999",
        ],
    )
    def test_is_not_looked_for_where_it_may_mean_something_else(self, command: str) -> None:
        found = understood(command)

        assert (found.text, found.port, found.takes_port) == (command, None, False)

    @pytest.mark.parametrize(
        ("command", "variable", "port"),
        [
            ("bin/rails s -b 0.0.0.0 -p ${LANE_PORT:-3000}", "LANE_PORT", 3000),
            ("uvicorn app:app --port $API_PORT", "API_PORT", None),
            ("gunicorn --bind 0.0.0.0:${API_PORT} app", "API_PORT", None),
        ],
    )
    def test_may_come_from_another_variable(self, command: str, variable: str, port: int | None) -> None:
        found = understood(command)

        assert (found.text, found.variable, found.port, found.takes_port) == (command, variable, port, True)

    def test_of_another_variable_can_be_given_by_port_as_well(self) -> None:
        assert understood("bin/rails s -p ${LANE:-3000} -e x").own == "bin/rails s -p ${PORT} -e x"
        assert understood("gunicorn -b :$API_PORT app").own == "gunicorn -b :${PORT} app"

    @pytest.mark.parametrize(
        ("command", "port"),
        [
            ("puma -p 3000 | tee log", 3000),
            ("uvicorn app:app --port 8010 || true", 8010),
            ("uvicorn app:app | tee log", 8000),
            ("sh -c 'uvicorn app:app --port 8010'", 8010),
            ("(cd a; uvicorn app:app --port 8010)", 8010),
        ],
    )
    def test_stays_where_not_all_words_are_certain(self, command: str, port: int) -> None:
        found = understood(command)

        assert (found.text, found.port, found.takes_port, found.is_fixed) == (command, port, True, True)

    def test_is_read_by_a_program_that_needs_no_option_before_a_pipe(self) -> None:
        found = understood("bin/rails server | tee log")

        assert (found.port, found.takes_port, found.is_fixed) == (None, True, False)

    def test_that_only_looks_like_one_stays(self) -> None:
        assert understood("uvicorn app:app --workers 2 --port 8000").text.startswith(
            "uvicorn app:app --workers 2"
        )
        assert understood("gunicorn -b unix:/tmp/x.sock app").text == "gunicorn -b unix:/tmp/x.sock app"


class TestAScript:
    @pytest.mark.parametrize(
        ("command", "script"),
        [
            ("npm run dev", "dev"),
            ("npm start", "start"),
            ("yarn dev", "dev"),
            ("pnpm run dev:web", "dev:web"),
            ("npm run --silent dev", "dev"),
            ("NODE_ENV=development yarn dev", "dev"),
            ("yarn build --watch", "build"),
            ("npm run dev -- --open", "dev"),
            ("bun run dev", "dev"),
            ("bun src/index.ts", None),
            ("pnpm --filter web dev", None),
            ("npm exec vite", None),
            ("yarn workspace web dev", None),
            ("npm run dev -w web", None),
            ("npm", None),
        ],
    )
    def test_of_package_json_is_known_when_it_runs_in_its_folder(
        self, command: str, script: str | None
    ) -> None:
        assert understood(command).script == script

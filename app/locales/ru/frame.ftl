product = Slipway
skip = К содержимому
nav-main = Главное
nav-servers = Серверы
nav-operations = Операции
nav-jobs = Задания
nav-edges = Шлюзы
nav-vapps = vApp
nav-account = Аккаунт
demo-banner = Демо: облако за этой страницей ненастоящее.
sign-out = Выйти
language = Язык
language-en = English
language-ru = Русский
theme = Тема
theme-system = Как в системе
theme-light = Светлая
theme-dark = Тёмная
set = Применить
footer-zone = Время: { $zone }
footer-version = Версия { $version }
error-prefix = Ошибка:
errors-title = { $n ->
    [one] Исправьте { $n } поле
    [few] Исправьте { $n } поля
   *[many] Исправьте { $n } полей
}
cancel = Отмена
data-from = Данные на { $time }.
refresh = Обновить
live-on = Онлайн
live-reconnecting = Переподключение… данные на { $time }
live-off = Нет связи: обновления остановлены.
live-signed-out = Сеанс завершён. Перезагрузите страницу, чтобы войти снова.
refreshes = Страница обновляется каждые { $n } с.
refresh-stop = Остановить
copy = Копировать
copied = Скопировано
unit-gb = { $n } ГБ
unit-mbit = { $n } Мбит/с
login-title = Вход
login-lead = Закажите сервер, следите за его запуском и управляйте им.
login-email = Эл. почта
login-password = Пароль
login-submit = Войти
login-demo = Демо-аккаунты
login-demo-password = Пароль у каждого:
signed-out = Вы вышли.
fault-title = Что-то пошло не так
fault-400 = Форма пришла неполной. Откройте её заново; ничего не изменено.
fault-413 = Отправлено больше, чем допускает любая форма. Вернитесь, сократите и отправьте ещё раз; ничего не изменилось.
fault-403 = Нет доступа к странице.
fault-403-form = Форма отправлена не с нашей страницы. Откройте её заново; ничего не изменено.
fault-404 = Не найдено или нет доступа.
fault-410-server = Сервер удалён { $date }.
fault-410-draft = Срок черновика истёк.
fault-429 = Слишком много запросов. Повторите через минуту.
fault-500 = Ошибка на нашей стороне. Изменено только то, что есть в «Операциях».
fault-request = Запрос { $id }
fault-back = Назад
fault-home = На главную
fault-operation = Открыть операцию
waiting-title = Страница открывается дольше обычного
waiting-lead = База данных сейчас отвечает медленно. Страница уже загружается и откроется здесь сама; всё, что вы сделали, сохранено.
waiting-again = Проверить сейчас
account-title = Аккаунт
account-profile = Профиль
account-save = Сохранить
account-saved = Сохранено.
account-preferences = Настройки
account-preferences-hint = Хранятся в этом браузере.
account-zone = Часовой пояс
account-password = Пароль
account-password-hint = Не меньше 12 символов, и такой, который трудно подобрать.
account-password-submit = Сменить пароль
account-password-done = { $n ->
    [0] Пароль изменён.
    [one] Пароль изменён. Завершён { $n } другой сеанс.
    [few] Пароль изменён. Завершено { $n } других сеанса.
   *[other] Пароль изменён. Завершено { $n } других сеансов.
}
account-sessions = Сеансы
account-session-here = этот
account-session-since = с
account-session-unknown = Неизвестное устройство
account-session-end = Завершить
account-sessions-end-others = Завершить все остальные
account-sessions-ended = { $n ->
    [0] Этот сеанс уже завершён.
    [one] Завершён { $n } сеанс.
    [few] Завершено { $n } сеанса.
   *[other] Завершено { $n } сеансов.
}
account-keys-none = Ключей пока нет. Сохранённый здесь ключ добавляется к заказу одним нажатием.
account-key-preset = для новых заказов
account-key-make-preset = Брать для новых заказов
account-key-make-plain = Не брать для новых заказов
account-key-remove = Удалить
account-key-removed = Ключ удалён отсюда. На серверах, где он есть, он остаётся.
account-key-paste = Открытый ключ
account-key-add = Добавить ключ
account-key-added = Ключ сохранён.
zone-offer = В браузере выбрана зона { $zone }. Использовать её?
zone-use = Использовать
zone-keep = Оставить { $zone }
account-keys = Клавиши-буквы
account-keys-on = Включены
account-keys-off = Выключены
keys-title = Клавиши
keys-find = Найти
keys-then = затем
keys-search = Поиск
keys-next = Следующая строка
keys-previous = Предыдущая строка
keys-menu = Действия со строкой
keys-order = Заказать сервер, в списке
keys-refresh = Обновить, пока страница не обновляется сама
keys-help = Этот список
keys-send = Отправить форму, в которой вы находитесь
keys-places = Куда перейти
keys-close = Закрыть меню или вопрос
keys-off-hint = Буквы не действуют, пока вы пишете; их можно выключить:
password-peek = Показать
password-hide = Скрыть
password-generate = Создать
password-holds = ✓ выполнено
rule-length = От { $min } до { $max } символов
rule-alphabet = Латинские буквы, цифры и { $symbols }
rule-names = Без логина и имени хоста
rule-classes = Три из: заглавные, строчные, цифры, символы
rule-common = Не из частых паролей (проверим при переходе дальше)
use-offer = Взять { $value }

toast-close = Закрыть
live-gone = Того, что показывает эта страница, больше нет. Обновите её, чтобы узнать, что произошло.

maintenance = Идут работы: операции принимаются и начнутся после них. Работающие серверы не затронуты.
maintenance-until = Работы до { $time }: операции принимаются и начнутся после них. Работающие серверы не затронуты.
platform-silent = Платформа виртуализации не отвечает с { $time }. Состояния могли устареть, серверы продолжают работать.
